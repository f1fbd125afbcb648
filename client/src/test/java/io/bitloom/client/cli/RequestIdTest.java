package io.bitloom.client.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.ByteString;
import io.bitloom.v1.Job;
import io.bitloom.v1.Prompt;
import org.junit.jupiter.api.Test;

class RequestIdTest {

  private static final Job JOB = Job.newBuilder().setDisplayName("cats").setModel("demo").build();

  @Test
  void theSameSubmissionHasTheSameName() {
    Job labelled = JOB.toBuilder().putLabels("a", "1").putLabels("b", "2").build();
    Job inAnotherOrder = JOB.toBuilder().putLabels("b", "2").putLabels("a", "1").build();

    String id = RequestId.of(labelled, digest("a cat", "a dog"));

    assertEquals(id, RequestId.of(inAnotherOrder, digest("a cat", "a dog")));
    assertTrue(id.length() <= 128, id);
  }

  @Test
  void otherPromptsOptionsAndNamesMakeAnotherSubmission() {
    String id = RequestId.of(JOB, digest("a cat", "a dog"));

    assertNotEquals(id, RequestId.of(JOB, digest("a cat")));
    assertNotEquals(id, RequestId.of(JOB, digest("a dog", "a cat")));
    assertNotEquals(
        id, RequestId.of(JOB.toBuilder().setPriority(9).build(), digest("a cat", "a dog")));
    assertNotEquals(
        id, RequestId.of(JOB.toBuilder().setDisplayName("dogs").build(), digest("a cat", "a dog")));
  }

  private static ByteString digest(String... prompts) {
    RequestId requestId = new RequestId();
    for (String prompt : prompts) {
      requestId.add(Prompt.newBuilder().setPrompt(prompt).build());
    }
    return requestId.promptsDigest();
  }
}
