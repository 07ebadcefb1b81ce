"""The four services: gateway, points, notifications, metrics. They meet only in shared.events and over HTTP."""
