package io.bitloom.coordinator.dispatch.worker;

import static io.bitloom.coordinator.TestCoordinator.prompts;
import static io.bitloom.coordinator.dispatch.worker.ScriptedWorker.drawn;
import static io.bitloom.coordinator.dispatch.worker.ScriptedWorker.hello;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bitloom.common.error.BitloomException;
import io.bitloom.common.error.ErrorCode;
import io.bitloom.common.secret.Secret;
import io.bitloom.coordinator.TestCoordinator;
import io.bitloom.v1.Hello;
import io.bitloom.v1.Job;
import io.bitloom.v1.Lease;
import io.bitloom.v1.ListModelsRequest;
import io.bitloom.v1.Model;
import io.bitloom.v1.Prompt;
import org.junit.jupiter.api.Test;

/** Workers that call themselves, or their model, as others do. */
class NamesakesIT extends DispatchFixture {

  private ScriptedWorker say(Hello.Builder hello) {
    ScriptedWorker worker = new ScriptedWorker(coordinator.channel());
    worker.send(m -> m.setHello(hello));
    return worker;
  }

  private static Hello.Builder namesake(String workerId) {
    return hello(workerId).setInstanceSecret(Secret.draw().text());
  }

  private static Hello.Builder withModel(String workerId, String digest, String aspectRatio) {
    Hello.Builder hello = hello(workerId);
    hello
        .getModelsBuilder(0)
        .setDigest(digest)
        .setDefaults(Prompt.newBuilder().setAspectRatio(aspectRatio));
    return hello;
  }

  private Model model() {
    return coordinator.batch().listModels(ListModelsRequest.getDefaultInstance()).getModels(0);
  }

  @Test
  void anotherProcessCannotTakeTheIdOfAWorkerThatIsConnected() throws Exception {
    Job job = coordinator.submit(prompts(1));
    ScriptedWorker worker = connect("w");
    Lease lease = worker.lease();
    BitloomException refusal = say(namesake("w")).refusal();
    assertEquals(ErrorCode.WORKER_ID_TAKEN, refusal.code());
    assertTrue(refusal.getMessage().contains("\"w\""), refusal.getMessage());
    assertEquals(COMMITTED, worker.report(drawn(lease, lease.getTasks(0), "mine")));
    assertEquals("w", coordinator.results(job.getName()).get(0).getProvenance().getWorker());
  }

  @Test
  void anIdIsFreeWhenItsWorkerIsCutOffButNotWhatItHolds() throws Exception {
    Job job = coordinator.submit(prompts(1));
    ScriptedWorker worker = connect("w");
    worker.lease();
    worker.cut();
    ScriptedWorker next;
    do {
      next = say(namesake("w"));
    } while (!next.isWelcome());
    // It did not hand back the prompt, which was an attempt of the worker before.
    Lease lease = next.lease();
    assertEquals(2, lease.getTasks(0).getAttempt());
    assertEquals(COMMITTED, next.report(drawn(lease, lease.getTasks(0), "next")));
    assertEquals(1, coordinator.job(job.getName()).getCounts().getRetried());
  }

  @Test
  void aWorkerThatDoesNotSayWhichProcessItIsIsRefused() throws Exception {
    for (String secret : new String[] {"", "short", "A".repeat(23)}) {
      BitloomException refusal = say(hello("old").setInstanceSecret(secret)).refusal();
      assertEquals(ErrorCode.INVALID_FIELD, refusal.code());
      assertEquals("hello.instance_secret", refusal.violations().get(0).field());
      assertTrue(!refusal.getMessage().contains("short"), refusal.getMessage());
    }
  }

  @Test
  void aModelThatAConnectedWorkerHasIsNotReplacedByOneOfAnotherDigest() throws Exception {
    ScriptedWorker worker = say(withModel("a", "sha256:one", "1:1"));
    assertTrue(worker.isWelcome());
    Model before = model();
    BitloomException refusal = say(withModel("b", "sha256:two", "3:2")).refusal();
    assertEquals(ErrorCode.MODEL_DIFFERS, refusal.code());
    for (String word : new String[] {"\"fake\"", "sha256:one", "sha256:two"}) {
      assertTrue(refusal.getMessage().contains(word), refusal.getMessage());
    }
    try (TestCoordinator elsewhere = coordinator.second()) {
      ScriptedWorker there = new ScriptedWorker(elsewhere.channel());
      there.send(m -> m.setHello(withModel("c", "sha256:three", "3:2")));
      assertEquals(ErrorCode.MODEL_DIFFERS, there.failure());
    }
    assertEquals(before, model());
  }

  @Test
  void aModelOfTheSameDigestKeepsItsDefaultsWhileAWorkerHasIt() throws Exception {
    assertTrue(say(withModel("a", "sha256:one", "1:1")).isWelcome());
    Model before = model();
    assertTrue(say(withModel("b", "sha256:one", "3:2")).isWelcome());
    assertEquals(
        before.toBuilder().clearPools().build(),
        model().toBuilder().setWorkers(1).clearPools().build());
  }

  @Test
  void aModelIsReplacedWhenNoWorkerHasItAnyMore() throws Exception {
    ScriptedWorker worker = say(withModel("a", "sha256:one", "1:1"));
    assertTrue(worker.isWelcome());
    assertEquals("sha256:one", model().getDigest());
    worker.cut();
    ScriptedWorker next;
    do {
      next = say(withModel("b", "sha256:two", "3:2"));
    } while (!next.isWelcome());
    assertEquals("sha256:two", model().getDigest());
    assertEquals("3:2", model().getDefaults().getAspectRatio());
  }
}
