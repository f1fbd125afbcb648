package io.bitloom.coordinator.webhooks;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import java.time.Duration;

/** Counts how receivers of webhooks are. */
final class WebhookMetrics {

  private final Timer acknowledged;
  private final Timer failed;
  private final Counter givenUp;

  WebhookMetrics(MeterRegistry registry) {
    this.acknowledged = attempts("acknowledged", registry);
    this.failed = attempts("failed", registry);
    this.givenUp =
        Counter.builder("bitloom.webhook.given.up")
            .description("Events that are not sent any more because too many attempts failed")
            .register(registry);
  }

  private static Timer attempts(String outcome, MeterRegistry registry) {
    return Timer.builder("bitloom.webhook.attempts")
        .description("Requests to receivers of webhooks")
        .tag("outcome", outcome)
        .register(registry);
  }

  void attempted(boolean received, Duration took) {
    (received ? acknowledged : failed).record(took);
  }

  void gaveUp(int events) {
    givenUp.increment(events);
  }
}
