package io.bitloom.coordinator.dispatch.worker;

import static io.bitloom.coordinator.TestCoordinator.awaitTrue;
import static io.bitloom.coordinator.TestCoordinator.prompts;
import static io.bitloom.coordinator.dispatch.worker.DispatchFixture.COMMITTED;
import static io.bitloom.coordinator.dispatch.worker.ScriptedWorker.drawn;
import static io.bitloom.coordinator.dispatch.worker.ScriptedWorker.hello;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bitloom.common.error.BitloomException;
import io.bitloom.common.error.ErrorCode;
import io.bitloom.coordinator.TestCoordinator;
import io.bitloom.v1.ClusterServiceGrpc;
import io.bitloom.v1.GetClusterRequest;
import io.bitloom.v1.GetClusterResponse;
import io.bitloom.v1.Hello;
import io.bitloom.v1.Job;
import io.bitloom.v1.Lease;
import io.bitloom.v1.Progress;
import io.bitloom.v1.ReportTrainingRunRequest;
import io.bitloom.v1.TrainingRun;
import io.bitloom.v1.TrainingServiceGrpc;
import io.bitloom.v1.TrainingState;
import io.bitloom.v1.WatchJobRequest;
import io.bitloom.v1.WatchJobResponse;
import io.bitloom.v1.WorkerStatus;
import io.grpc.stub.StreamObserver;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.junit.jupiter.api.Test;

/** Workers of two tokens that the file does not restrict: each has what is its own. */
class WorkerTokensIT extends TokensFixture {

  @Override
  String workerTokens() throws Exception {
    return token("one", "worker", "") + ", " + token("two", "worker", "");
  }

  @Test
  void anIdBelongsToTheTokenThatHoldsIt() throws Exception {
    Hello.Builder hello = hello("w");
    ScriptedWorker worker = say("one", hello);
    assertTrue(worker.isWelcome());
    Job job = coordinator.withToken("ops").submit(prompts(1));
    Lease lease = worker.lease();

    // Even one that knows what only the process knows.
    BitloomException refusal = say("two", hello).refusal();
    assertEquals(ErrorCode.PERMISSION_DENIED, refusal.code());
    assertTrue(refusal.getMessage().contains("\"w\""), refusal.getMessage());
    assertEquals(COMMITTED, worker.report(drawn(lease, lease.getTasks(0), "mine")));
    assertTrue(coordinator.withToken("ops").results(job.getName()).get(0).hasImages());
  }

  @Test
  void aTrainingGroupBelongsToTheTokenThatOpenedIt() {
    assertEquals("10.0.0.1:77", meet("one", "night", 0, "10.0.0.1:77"));
    for (BitloomException refusal :
        List.of(
            error(() -> meet("two", "night", 0, "10.6.6.6:66")),
            error(() -> meet("two", "night", 1, "")))) {
      assertEquals(ErrorCode.PERMISSION_DENIED, refusal.code());
      assertTrue(refusal.getMessage().contains("night"), refusal.getMessage());
    }
    assertEquals("10.0.0.1:77", meet("one", "night", 1, ""));
    // Its first process may have started again.
    assertEquals("10.0.0.1:78", meet("one", "night", 0, "10.0.0.1:78"));
    assertEquals("10.0.0.1:78", meet("one", "night", 2, ""));
  }

  @Test
  void theGroupsAndRunsOfOneTokenDoNotPushOutThoseOfAnother() {
    meet("one", "night", 0, "10.0.0.1:77");
    report("one", "night", "mine");
    for (int i = 0; i < 101; i++) {
      meet("two", "group-" + i, 0, "10.6.6.6:66");
      report("two", "run-" + i, "theirs");
    }
    assertEquals("10.0.0.1:77", meet("one", "night", 1, ""));
    assertEquals(ErrorCode.PERMISSION_DENIED, error(() -> report("two", "night", "theirs")).code());
  }

  private void report(String token, String id, String name) {
    TrainingServiceGrpc.newBlockingStub(coordinator.withToken(token).calls())
        .reportTrainingRun(
            ReportTrainingRunRequest.newBuilder()
                .setRun(
                    TrainingRun.newBuilder()
                        .setId(id)
                        .setProcess("p")
                        .setName(name)
                        .setState(TrainingState.TRAINING_STATE_RUNNING))
                .build());
  }

  @Test
  void aClientLearnsOfTheClusterWhatItsJobsWaitForAndNoWorkersName() throws Exception {
    assertTrue(say("one", hello("gpu-1").setVersion("1").setDevice("host, cpu")).isWelcome());
    coordinator.withToken("art").submit(prompts(3));
    GetClusterResponse seen = cluster("art");
    WorkerStatus worker = seen.getWorkers(0);
    assertEquals("fake", worker.getModels(0));
    assertTrue(worker.getConnected());
    assertEquals(3, seen.getBuckets(0).getPrompts());
    assertEquals("", worker.getId() + worker.getVersion() + worker.getDevice());
    assertFalse(worker.hasConnectTime());
    assertEquals("gpu-1", cluster("ops").getWorkers(0).getId());
    assertEquals("host, cpu", cluster("ops").getWorkers(0).getDevice());
  }

  private GetClusterResponse cluster(String token) {
    return ClusterServiceGrpc.newBlockingStub(coordinator.withToken(token).calls())
        .getCluster(GetClusterRequest.getDefaultInstance());
  }

  @Test
  void neitherResultsNorProgressTellAClientWhoDrewIt() throws Exception {
    ScriptedWorker worker = say("one", hello("gpu-1"));
    assertTrue(worker.isWelcome());
    TestCoordinator art = coordinator.withToken("art");
    TestCoordinator ops = coordinator.withToken("ops");
    Job job = art.submit(prompts(1));
    Watcher client = watch(art, job);
    Watcher operator = watch(ops, job);
    awaitTrue("they watch", () -> client.knowsJob && operator.knowsJob);
    Lease lease = worker.lease();
    worker.send(m -> m.setProgress(Progress.newBuilder().setLeaseId(lease.getLeaseId())));
    assertEquals(COMMITTED, worker.report(drawn(lease, lease.getTasks(0), "image")));
    awaitTrue("progress", () -> client.workers.size() == 1 && operator.workers.size() == 1);
    assertEquals("", client.workers.peek());
    assertEquals("gpu-1", operator.workers.peek());
    assertEquals("", art.results(job.getName()).get(0).getProvenance().getWorker());
    assertEquals("gpu-1", ops.results(job.getName()).get(0).getProvenance().getWorker());
  }

  private static Watcher watch(TestCoordinator caller, Job job) {
    Watcher watcher = new Watcher();
    caller
        .batchAsync()
        .watchJob(
            WatchJobRequest.newBuilder().setName(job.getName()).setProgress(true).build(), watcher);
    return watcher;
  }

  private static final class Watcher implements StreamObserver<WatchJobResponse> {
    private final Queue<String> workers = new ConcurrentLinkedQueue<>();
    private volatile boolean knowsJob;

    @Override
    public void onNext(WatchJobResponse told) {
      knowsJob |= told.hasJob();
      if (told.hasProgress()) {
        workers.add(told.getProgress().getWorker());
      }
    }

    @Override
    public void onError(Throwable error) {}

    @Override
    public void onCompleted() {}
  }
}
