from pathlib import Path
from unittest.mock import Mock

import pytest

from zato.server.service import BadRequest

FILE = Path(__file__).parents[1] / "orders.py"
ORDER = {"customer": "Ada", "amount": 20}


def test_card_is_charged(zato):
    zato.deploy(FILE)

    assert zato.invoke("orders.charge", ORDER).data == {"customer": "Ada", "paid": 20}


def test_card_takes_100(zato):
    zato.deploy(FILE)

    with pytest.raises(BadRequest, match="takes 100 at most, not 500"):
        zato.invoke("orders.charge", {**ORDER, "amount": 500})


def test_receipt_is_written(zato, caplog):
    caplog.set_level("INFO")
    zato.deploy(FILE)

    cid = zato.invoke("orders.place", ORDER).data
    zato.run_background()

    assert zato.result(cid).data == {"customer": "Ada", "paid": 20}
    assert 'A receipt for {"customer":"Ada","paid":20}' in caplog.messages


def test_refused_payment_is_reported(zato):
    refused = Mock(return_value=None)
    zato.deploy(FILE)
    zato.replace("orders.charge", BadRequest("The card is blocked."))
    zato.replace("orders.refused", refused)

    zato.invoke("orders.place", ORDER)
    zato.run_background()

    assert refused.call_args.args[0]["error"]["message"] == "The card is blocked."
