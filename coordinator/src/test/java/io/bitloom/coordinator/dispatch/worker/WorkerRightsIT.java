package io.bitloom.coordinator.dispatch.worker;

import static io.bitloom.coordinator.dispatch.worker.ScriptedWorker.hello;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bitloom.common.error.BitloomException;
import io.bitloom.common.error.ErrorCode;
import io.bitloom.v1.Hello;
import io.bitloom.v1.ListModelsRequest;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Workers of a token that the file restricts. */
class WorkerRightsIT extends TokensFixture {

  private static final String PINNED = "sha256:" + "0123456789abcdef".repeat(4);

  @Override
  String workerTokens() throws Exception {
    return token(
        "rack",
        "worker",
        ", \"workers\": [\"rack-*\"], \"models\": {\"fake\": \""
            + PINNED
            + "\"}, \"groups\": [\"night-*\"]");
  }

  private static Hello.Builder rack(String model, String digest) {
    Hello.Builder hello = hello("rack-1");
    hello.getModelsBuilder(0).setName(model).setDigest(digest);
    return hello;
  }

  @Test
  void aWorkerIsLetInAsWhatItsTokenMayBe() throws Exception {
    assertTrue(say("rack", rack("fake", PINNED)).isWelcome());
    assertEquals("10.0.0.1:77", meet("rack", "night-1", 0, "10.0.0.1:77"));
  }

  @Test
  void whatItsTokenMayNotBeIsRefusedAndLeavesNothing() throws Exception {
    BitloomException id = say("rack", rack("fake", PINNED).setWorkerId("gpu-1")).refusal();
    assertDenied("\"gpu-1\"", id);
    assertDenied("\"other\"", say("rack", rack("other", PINNED)).refusal());
    BitloomException digest = say("rack", rack("fake", "sha256:foreign")).refusal();
    assertDenied(PINNED, digest);
    assertDenied("sha256:foreign", digest);
    assertDenied("\"day\"", error(() -> meet("rack", "day", 0, "10.0.0.1:77")));
    assertEquals(
        List.of(),
        coordinator
            .withToken("ops")
            .batch()
            .listModels(ListModelsRequest.getDefaultInstance())
            .getModelsList());
  }

  private static void assertDenied(String word, BitloomException refusal) {
    assertEquals(ErrorCode.PERMISSION_DENIED, refusal.code());
    assertTrue(refusal.getMessage().contains(word), refusal.getMessage());
  }
}
