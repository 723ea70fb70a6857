"""The composition root: the API's routes, and the functions that run on a schedule.

Schedules are declared here and not in blueprints: Lambda imports a blueprint's function from its
own module, never this file, and what is set up here would silently be absent. Function names
are public: they name the Lambda, its alarms and its policy.
"""

from collections.abc import Mapping

from chalice import Rate
from chalice.app import CloudWatchEvent

from chalicelib import wiring
from chalicelib.domain.notices import Lane
from chalicelib.routes import deliveries, directory, members, pages, people, referrals, webhooks
from chalicelib.routes.front import Front
from chalicelib.services.audits import checkpoint
from chalicelib.services.duties import run_job

app = Front(app_name="cart-referrals", configure_logs=False)
app.api.binary_types = []  # Text only: fonts are inlined, so nothing is sent in base64.

for module in (pages, people, members, directory, referrals, webhooks, deliveries):
    app.register_blueprint(module.blueprint)


@app.schedule(Rate(1, unit=Rate.MINUTES))
def relay(event: CloudWatchEvent) -> Mapping[str, int]:  # noqa: ARG001 Chalice hands it over
    """Tell people what follows from committed events."""
    return run_job(Lane.EVENT, **wiring.job())


@app.schedule(Rate(15, unit=Rate.MINUTES))
def notices(event: CloudWatchEvent) -> Mapping[str, int]:  # noqa: ARG001 Chalice hands it over
    """Send the notices whose day has come."""
    return run_job(Lane.PLAN, **wiring.job())


@app.schedule(Rate(1, unit=Rate.HOURS))
def checkpoints(event: CloudWatchEvent) -> Mapping[str, int]:  # noqa: ARG001 Chalice hands it over
    """Count the audit rows, so that a loss of the last ones would show."""
    return {"rows": checkpoint(stores=wiring.stores(), now=wiring.now())}


if wiring.on_lambda():
    wiring.warm()
