package io.bitloom.coordinator.queue.redis;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import org.junit.jupiter.api.Test;

class AppendOrderTest {

  private final AppendOrder order = new AppendOrder();
  private final List<String> made = new ArrayList<>();
  private final List<CompletableFuture<String>> answers = new ArrayList<>();

  private CompletionStage<String> call(String job, int part, String name) {
    return order.in(
        job,
        part,
        () -> {
          made.add(name);
          CompletableFuture<String> answer = new CompletableFuture<>();
          answers.add(answer);
          return answer;
        });
  }

  @Test
  void callsToOnePartGoAtOnceAndThoseToTheNextAfterThem() {
    call("job", 0, "a");
    call("job", 0, "b");
    CompletionStage<String> next = call("job", 1, "c");
    call("job", 1, "d");
    call("job", 2, "e");
    call("other", 2, "other");
    assertEquals(List.of("a", "b", "other"), made);
    answers.get(1).complete("b");
    assertEquals(3, made.size());
    answers.get(0).complete("a");
    assertEquals(List.of("a", "b", "other", "c", "d"), made);
    answers.get(3).complete("value");
    assertEquals("value", next.toCompletableFuture().join());
    answers.get(4).complete("d");
    assertEquals(List.of("a", "b", "other", "c", "d", "e"), made);
  }

  @Test
  void whoeverIsBehindStaysBehind() {
    call("job", 0, "a");
    call("job", 1, "b");
    call("job", 0, "c");
    assertEquals(List.of("a"), made);
    answers.get(0).complete("");
    assertEquals(List.of("a", "b"), made);
    answers.get(1).complete("");
    assertEquals(List.of("a", "b", "c"), made);
  }

  @Test
  void aCallThatFailsOrThrowsLetsTheNextGo() {
    CompletionStage<String> failing = call("job", 0, "a");
    CompletionStage<String> thrown =
        order.in(
            "job",
            1,
            () -> {
              throw new IllegalStateException("no");
            });
    call("job", 2, "b");
    answers.get(0).completeExceptionally(new IllegalStateException("lost"));
    assertTrue(failing.toCompletableFuture().isCompletedExceptionally());
    assertThrows(CompletionException.class, () -> thrown.toCompletableFuture().join());
    assertEquals(List.of("a", "b"), made);
  }
}
