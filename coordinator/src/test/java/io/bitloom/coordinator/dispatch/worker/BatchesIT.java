package io.bitloom.coordinator.dispatch.worker;

import static io.bitloom.coordinator.TestCoordinator.prompts;
import static io.bitloom.coordinator.dispatch.worker.ScriptedWorker.offsets;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bitloom.v1.CapacityUpdate;
import io.bitloom.v1.CreateJobRequest;
import io.bitloom.v1.Job;
import io.bitloom.v1.Lease;
import io.bitloom.v1.ScheduleCapacity;
import io.bitloom.v1.Task;
import io.bitloom.v1.WorkRequest;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Which batches workers get. */
class BatchesIT extends DispatchFixture {

  // Batches

  @Test
  void aBatchIsOfOneBucketAndNotLargerThanTheWorkerCanTake() throws Exception {
    coordinator.submit(prompts(20, "1:1", "3:2"));
    ScriptedWorker worker = connect("w");
    for (int i = 0; i < 3; i++) {
      Lease lease = worker.lease();
      int capacity = lease.getSchedule().equals("1.0_0.06M") ? 4 : 1;
      assertEquals(capacity, lease.getTasksCount());
      assertEquals("fake", lease.getModel());
      for (Task task : lease.getTasksList()) {
        assertEquals(1, task.getAttempt());
        assertEquals(lease.getSchedule().startsWith("1.0"), task.getRef().getOffset() % 2 == 0);
      }
    }
  }

  @Test
  void aRequestWaitsUntilThereIsWork() throws Exception {
    ScriptedWorker worker = connect("w");
    worker.send(m -> m.setWorkRequest(WorkRequest.newBuilder().setRequestNumber(1)));
    assertTrue(worker.nextSoon().isEmpty());
    coordinator.submit(prompts(2));
    assertEquals(List.of(0L, 1L), offsets(worker.next().getLease()));
  }

  @Test
  void aWorkerThatLearnedWhatFitsGetsSmallerBatches() throws Exception {
    coordinator.submit(prompts(10));
    ScriptedWorker worker = connect("w");
    assertEquals(4, worker.lease().getTasksCount());
    worker.send(
        m ->
            m.setCapacityUpdate(
                CapacityUpdate.newBuilder()
                    .setModel("fake")
                    .addCapacities(
                        ScheduleCapacity.newBuilder().setSchedule("1.0_0.06M").setMaxImages(2))));
    assertEquals(2, worker.lease().getTasksCount());
  }

  @Test
  void aHigherPriorityGoesFirstAcrossBuckets() throws Exception {
    coordinator.submit(prompts(8, "1:1"));
    Job urgent =
        coordinator
            .batch()
            .createJob(
                CreateJobRequest.newBuilder().setJob(Job.newBuilder().setPriority(9)).build())
            .getJob();
    coordinator.append(urgent.getName(), 0, prompts(3, "3:2"));
    coordinator.seal(urgent.getName());
    ScriptedWorker worker = connect("w");
    for (int i = 0; i < 3; i++) {
      assertEquals("0.666_0.06M", worker.lease().getSchedule());
    }
    assertEquals("1.0_0.06M", worker.lease().getSchedule());
  }
}
