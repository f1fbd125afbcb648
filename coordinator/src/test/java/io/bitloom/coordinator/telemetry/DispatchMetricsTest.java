package io.bitloom.coordinator.telemetry;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bitloom.coordinator.queue.Bucket;
import io.bitloom.coordinator.queue.LeasedBatch;
import io.micrometer.core.instrument.Timer;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.time.Duration;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class DispatchMetricsTest {

  private final SimpleMeterRegistry registry = new SimpleMeterRegistry();
  private final DispatchMetrics metrics = new DispatchMetrics(registry);

  @Test
  void tenantsBeyondTheFirstFiftyShareALabel() {
    for (int round = 0; round < 2; round++) {
      metrics.waited(new Bucket("demo", "1.0_0.06M"), waits(70));
    }

    assertEquals(51, registry.find("bitloom.tenant.wait").timers().size());
    assertEquals(2, ofTenant("tenant-49").count());
    assertEquals(40, ofTenant("OTHER").count());
    assertEquals(140, registry.get("bitloom.queue.wait").timer().count());
    assertTrue(registry.find("bitloom.tenant.wait").tag("tenant", "tenant-50").timers().isEmpty());
  }

  private Timer ofTenant(String name) {
    return registry.get("bitloom.tenant.wait").tag("tenant", name).timer();
  }

  private static List<LeasedBatch.Wait> waits(int tenants) {
    return IntStream.range(0, tenants)
        .mapToObj(i -> new LeasedBatch.Wait("tenant-" + i, Duration.ofSeconds(1)))
        .toList();
  }
}
