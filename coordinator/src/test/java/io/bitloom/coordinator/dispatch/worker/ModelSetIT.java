package io.bitloom.coordinator.dispatch.worker;

import static io.bitloom.coordinator.dispatch.worker.ScriptedWorker.hello;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bitloom.common.error.ErrorCode;
import io.bitloom.coordinator.TestCoordinator;
import io.bitloom.coordinator.registry.TestModel;
import io.bitloom.v1.ConnectResponse;
import io.bitloom.v1.CreateJobRequest;
import io.bitloom.v1.DeleteVersionRequest;
import io.bitloom.v1.Hello;
import io.bitloom.v1.Job;
import io.bitloom.v1.ListModelsRequest;
import io.bitloom.v1.ListVersionsRequest;
import io.bitloom.v1.LoadModelRequest;
import io.bitloom.v1.ModelState;
import io.bitloom.v1.ModelStates;
import io.bitloom.v1.ModelVersion;
import io.bitloom.v1.PoolModels;
import io.bitloom.v1.UnloadModelRequest;
import io.bitloom.v1.VersionState;
import io.bitloom.v1.WorkerModel;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What coordinators and workers say to each other of versions that the cluster keeps. */
class ModelSetIT extends TokensFixture {

  private static final String POOL = "gpu";

  @Override
  String workerTokens() throws Exception {
    return token("any", "worker", "")
        + ", "
        + token("rack", "worker", ", \"models\": {\"other\": \"*\"}");
  }

  private TestCoordinator operator() {
    return coordinator.withToken("ops");
  }

  private static Hello.Builder taker(String id) {
    return hello(id).setForm(2).setPool(POOL).setTakesModels(true).clearModels();
  }

  private PoolModels load(String version) {
    return TestModel.service(operator())
        .loadModel(LoadModelRequest.newBuilder().setPool(POOL).setVersion(version).build())
        .getPool();
  }

  private PoolModels unload(String version) {
    return TestModel.service(operator())
        .unloadModel(UnloadModelRequest.newBuilder().setPool(POOL).setVersion(version).build())
        .getPool();
  }

  private static List<String> set(ScriptedWorker worker) throws Exception {
    ConnectResponse message = worker.next();
    assertTrue(message.hasModelSet(), message.toString());
    return message.getModelSet().getVersionsList();
  }

  private static ModelStates ready(ModelVersion... versions) {
    ModelStates.Builder states = ModelStates.newBuilder();
    for (ModelVersion version : versions) {
      states.addModels(
          ModelState.newBuilder()
              .setVersion(version.getName())
              .setState(VersionState.VERSION_STATE_READY));
      states.addReady(
          WorkerModel.newBuilder()
              .setName(version.getName())
              .setDigest(version.getDigest())
              .addSizes("0.06M"));
    }
    return states.build();
  }

  private int workersOf(ModelVersion version) {
    return operator()
        .batch()
        .listModels(ListModelsRequest.getDefaultInstance())
        .getModelsList()
        .stream()
        .filter(model -> model.getName().equals(version.getName()))
        .findFirst()
        .orElseThrow()
        .getWorkers();
  }

  @Test
  void aWorkerIsToldWhatItsPoolIsToHaveAndDrawsWithWhatIsReady() throws Exception {
    ModelVersion first = TestModel.of("m", "first", "w").push(operator(), "latest");
    ModelVersion second = TestModel.of("m", "second", "w").push(operator());
    load("m");
    ScriptedWorker worker = say("any", taker("w"));
    assertTrue(worker.next().hasWelcome());
    assertEquals(List.of(first.getName()), set(worker));
    assertEquals(
        List.of(second.getName(), first.getName()), load(second.getName()).getVersionsList());
    assertEquals(List.of(second.getName(), first.getName()), set(worker));

    Job job = operator().batch().createJob(jobOf(first)).getJob();
    operator().append(job.getName(), 0, TestCoordinator.prompts(1));
    operator().seal(job.getName());
    worker.send(m -> m.getWorkRequestBuilder().setRequestNumber(1));
    worker.send(m -> m.setModelStates(ready(first)));
    ConnectResponse lease = worker.next();
    assertEquals(first.getName(), lease.getLease().getModel(), lease.toString());
    assertEquals(1, workersOf(first));
    PoolModels pool =
        TestModel.service(operator())
            .listVersions(ListVersionsRequest.getDefaultInstance())
            .getPools(0);
    assertEquals(VersionState.VERSION_STATE_READY, pool.getStates(0).getState());
    assertEquals(1, pool.getStates(0).getWorkers());

    // What the worker has not any more it gets no lease of; what it was given goes to others.
    worker.send(m -> m.setModelStates(ready()));
    TestCoordinator.awaitTrue("nobody has it", () -> workersOf(first) == 0);
    worker.send(
        m ->
            m.getReleaseBuilder()
                .setLeaseId(lease.getLease().getLeaseId())
                .setFencingToken(lease.getLease().getFencingToken())
                .setLeaseSecret(lease.getLease().getSecret())
                .addTasksBuilder()
                .setJob(job.getName()));
    TestCoordinator.awaitTrue(
        "it waits again", () -> operator().job(job.getName()).getCounts().getQueued() == 1);
    operator().cancel(job.getName());

    assertEquals(
        ErrorCode.MODEL_IN_USE,
        error(
                () ->
                    TestModel.service(operator())
                        .deleteVersion(
                            DeleteVersionRequest.newBuilder().setVersion(first.getName()).build()))
            .code());
    assertEquals(List.of(second.getName()), unload("m").getVersionsList());
    assertEquals(List.of(second.getName()), set(worker));
  }

  private static CreateJobRequest jobOf(ModelVersion version) {
    return CreateJobRequest.newBuilder()
        .setJob(Job.newBuilder().setModel(version.getName()))
        .build();
  }

  @Test
  void aWorkerIsNotToldOfModelsThatItsTokenMayNotBring() throws Exception {
    TestModel.of("m", "x", "w").push(operator(), "latest");
    ModelVersion other = TestModel.of("other", "x", "w").push(operator(), "latest");
    load("m");
    load("other");
    ScriptedWorker worker = say("rack", taker("r"));
    assertTrue(worker.next().hasWelcome());
    assertEquals(List.of(other.getName()), set(worker));
  }

  @Test
  void aVersionWithAnotherDigestThanItsNameSaysEndsTheStream() throws Exception {
    ModelVersion version = TestModel.of("m", "x", "w").push(operator(), "latest");
    load("m");
    ScriptedWorker worker = say("any", taker("w"));
    assertTrue(worker.next().hasWelcome());
    set(worker);
    ModelStates.Builder forged = ready(version).toBuilder();
    forged.getReadyBuilder(0).setDigest("sha256:" + "0".repeat(64));
    worker.send(m -> m.setModelStates(forged));
    assertEquals(ErrorCode.INVALID_FIELD, worker.refusal().code());
  }

  @Test
  void aWorkerThatTakesNoModelsMustBringOne() throws Exception {
    ScriptedWorker worker = say("any", taker("w").setTakesModels(false));
    assertEquals(ErrorCode.INVALID_FIELD, worker.refusal().code());
  }
}
