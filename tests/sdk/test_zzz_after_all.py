"""Runs last: what the whole run left behind."""

from conftest import ANTHROPIC_CANARY, CLIENT_KEY, OPENAI_CANARY, assert_keys_replaced

KEYS = [OPENAI_CANARY, ANTHROPIC_CANARY, CLIENT_KEY]


def test_each_request_had_our_key_and_no_other(proxied, upstream):
    assert upstream.requests
    for request in upstream.requests:
        assert_keys_replaced(request)


def test_metrics_count_and_tell_no_key(proxied):
    metrics = proxied.metrics()
    assert "gen_ai_" in metrics and "pillion_" in metrics
    assert 'provider="default/openai-like"' in metrics
    assert not [key for key in KEYS if key in metrics]
    # Junk model names are `other`: they came from the caller, not from a manifest.
    assert "flaky-" not in metrics and "always-" not in metrics


def test_it_ends_well_and_its_log_tells_no_key(proxied):
    assert proxied.stop() == 0, proxied.text()
    assert proxied.output
    assert not [key for key in KEYS if key in proxied.text()]
