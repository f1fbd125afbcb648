package io.bitloom.coordinator.dispatch.worker;

import static io.bitloom.coordinator.TestCoordinator.prompts;
import static io.bitloom.coordinator.dispatch.worker.ScriptedWorker.drawn;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bitloom.coordinator.TestCoordinator;
import io.bitloom.v1.Job;
import io.bitloom.v1.JobState;
import io.bitloom.v1.Lease;
import io.bitloom.v1.LeaseLost;
import io.bitloom.v1.PromptResult;
import io.bitloom.v1.Task;
import io.bitloom.v1.TaskRef;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Jobs that are cancelled while workers draw them. */
class StoppedJobIT extends DispatchFixture {

  @Test
  void aWorkerIsToldToStopAndTheJobEndsWithItsResultsSoFar() throws Exception {
    Job job = coordinator.submit(prompts(3, "1:1"));
    ScriptedWorker worker = connect("w");
    Lease lease = worker.lease();
    List<Task> tasks = lease.getTasksList();
    assertEquals(3, tasks.size());
    assertEquals(COMMITTED, worker.report(drawn(lease, tasks.get(0), "first")));

    coordinator.cancel(job.getName());
    LeaseLost lost = worker.next().getLeaseLost();
    assertEquals(lease.getLeaseId(), lost.getLeaseId());
    assertEquals(refs(tasks.subList(1, 3)), lost.getTasksList());

    List<PromptResult> results = coordinator.results(job.getName());
    assertTrue(results.get(0).hasImages());
    assertEquals("CANCELLED", results.get(1).getFailure().getReason());
    assertEquals("CANCELLED", results.get(2).getFailure().getReason());
    assertEquals(JobState.JOB_STATE_CANCELLED, coordinator.job(job.getName()).getState());
    assertEquals(SUPERSEDED, worker.report(drawn(lease, tasks.get(1), "late")));
    assertEquals(3, coordinator.results(job.getName()).size());
  }

  @Test
  void promptsOfAnotherJobInTheSameBatchAreDrawn() throws Exception {
    Job cancelled = coordinator.submit(prompts(2, "1:1"));
    Job kept = coordinator.submit(prompts(2, "1:1"));
    ScriptedWorker worker = connect("w");
    Lease lease = worker.lease();
    assertEquals(4, lease.getTasksCount());
    coordinator.cancel(cancelled.getName());
    assertEquals(2, worker.next().getLeaseLost().getTasksCount());
    for (Task task : lease.getTasksList()) {
      if (task.getRef().getJob().equals(kept.getName())) {
        assertEquals(COMMITTED, worker.report(drawn(lease, task, "image")));
      }
    }
    assertEquals(2, coordinator.results(kept.getName()).size());
    assertEquals(JobState.JOB_STATE_CANCELLED, coordinator.job(cancelled.getName()).getState());
  }

  @Test
  void anotherCoordinatorThanTheCallersTellsItsWorkers() throws Exception {
    Job job = coordinator.submit(prompts(2, "1:1"));
    ScriptedWorker worker = connect("w");
    worker.lease();
    try (TestCoordinator other = coordinator.second()) {
      other.cancel(job.getName());
    }
    assertEquals(2, worker.next().getLeaseLost().getTasksCount());
    assertEquals(2, coordinator.results(job.getName()).size());
  }

  private static List<TaskRef> refs(List<Task> tasks) {
    return tasks.stream().map(Task::getRef).toList();
  }
}
