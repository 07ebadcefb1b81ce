"""How /docs looks."""

from typing import Final

STYLE: Final = """
:root { color-scheme: light dark; --line: #8884; --soft: #8881; --accent: #0a7d62; }
* { box-sizing: border-box; }
body { margin: 0; font: 15px/1.55 system-ui, sans-serif; display: grid; grid-template-columns: 19rem minmax(0, 1fr); }
nav { position: sticky; top: 0; height: 100vh; overflow-y: auto; padding: 1rem; border-right: 1px solid var(--line); }
nav a { display: block; padding: .15rem 0; color: inherit; text-decoration: none; font-size: .82rem;
        overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
nav a:hover { color: var(--accent); }
nav h3 { margin: 1.2rem 0 .3rem; font-size: .75rem; text-transform: uppercase; letter-spacing: .08em; opacity: .7; }
main { padding: 2rem clamp(1rem, 4vw, 4rem) 6rem; max-width: 62rem; }
h1 small { font-weight: 400; opacity: .6; font-size: 1rem; }
h2 { margin-top: 3rem; border-bottom: 2px solid var(--accent); text-transform: capitalize; }
section { padding: 1rem 0 1.5rem; border-bottom: 1px solid var(--line); }
section h3 { margin: 0; }
h4 { margin: 1.2rem 0 .4rem; }
code, pre, span[class] { font-family: ui-monospace, monospace; font-size: .86em; }
span[class] { display: inline-block; min-width: 3.6rem; font-weight: 700; }
.get { color: #0a7d62; } .post { color: #2f6fdb; } .put, .patch { color: #b07000; } .delete { color: #c0392b; }
pre { background: var(--soft); border: 1px solid var(--line); border-radius: 6px; padding: .8rem; overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: .88rem; }
td { border-top: 1px solid var(--line); padding: .35rem .8rem .35rem 0; vertical-align: top; }
td i { opacity: .6; font-size: .85em; }
a { color: var(--accent); }
@media (max-width: 52rem) { body { display: block; } nav { position: static; height: auto; border-right: 0; } }
"""
