package io.bitloom.coordinator.dispatch.worker;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.bitloom.common.secret.Secret;
import io.bitloom.v1.HeldLease;
import io.bitloom.v1.TaskRef;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class HeldLeasesTest {

  /** A slot for each place of all of them would be 13 GB. */
  @Test
  void leasesTakeMemoryByTheirPromptsAndNotByTheirPlaces() {
    String secret = Secret.draw().text();
    TaskRef task = TaskRef.newBuilder().setJob("jobs/j").build();
    List<HeldLease> held =
        IntStream.range(0, 50_000)
            .mapToObj(
                token ->
                    HeldLease.newBuilder()
                        .setLeaseId("fake:1.0_0.06M:" + token)
                        .setFencingToken(token)
                        .setSecret(secret)
                        .addTasks(task)
                        .addIndexes((1 << 16) - 1)
                        .build())
            .toList();
    assertEquals(50_000, HeldLeases.of(held, Map.of()).leases().size());
  }
}
