package io.bitloom.coordinator.queue;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bitloom.coordinator.queue.upkeep.RunningQueue;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletionStage;
import org.junit.jupiter.api.Test;

class AdmissionIT extends QueueFixture {

  private static final String TENANT = "tenant";

  private boolean admitted(String jobId, long offset, int count, long most) {
    return await(
        queue
            .prompts()
            .admit(TENANT, jobId, offset, count, most, await(queue.jobs().open(TENANT))));
  }

  @Test
  void twoCoordinatorsTogetherLetInNoMoreThanTheLimit() {
    List<String> jobIds = List.of(newJob(), newJob(), newJob());
    try (JobQueue other = new RunningQueue(redis, settings)) {
      List<JobRecord> seenBefore = await(queue.jobs().open(TENANT));
      List<CompletionStage<Boolean>> calls = new ArrayList<>();
      for (int i = 0; i < 40; i++) {
        for (JobQueue either : List.of(queue, other)) {
          String jobId = jobIds.get(calls.size() % jobIds.size());
          long offset = calls.size() / jobIds.size() * 10L;
          calls.add(either.prompts().admit(TENANT, jobId, offset, 10, 305, seenBefore));
        }
      }
      assertEquals(30, calls.stream().filter(call -> await(call)).count());
    }
  }

  @Test
  void whatIsAskedForAgainIsReservedOnce() {
    String jobId = newJob();
    assertTrue(admitted(jobId, 0, 60, 100));
    assertTrue(admitted(jobId, 0, 60, 100));
    append(jobId, 0, 60, SQUARE);
    assertTrue(admitted(jobId, 60, 40, 100));
    assertFalse(admitted(jobId, 100, 1, 100));
  }

  @Test
  void aGapIsNotReserved() {
    String jobId = newJob();
    assertTrue(admitted(jobId, 4_000_000, 10, 100));
    assertTrue(admitted(newJob(), 0, 90, 100));
  }

  @Test
  void outcomesAndEndedJobsMakeRoom() throws InterruptedException {
    String jobId = sealedJob(50, SQUARE);
    String next = newJob();
    assertFalse(admitted(next, 0, 60, 100));
    succeed(lease(SQUARE, 20));
    assertTrue(admitted(next, 0, 60, 100));
    drain(jobId, SQUARE);
    awaitTrue("the other job is off the open ones", () -> admitted(next, 60, 40, 100));
    assertFalse(admitted(next, 100, 1, 100));
  }
}
