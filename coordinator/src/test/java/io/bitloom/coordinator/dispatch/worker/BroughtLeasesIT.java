package io.bitloom.coordinator.dispatch.worker;

import static io.bitloom.coordinator.TestCoordinator.prompts;
import static io.bitloom.coordinator.dispatch.worker.ScriptedWorker.hello;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.bitloom.common.error.ErrorCode;
import io.bitloom.coordinator.TestCoordinator;
import io.bitloom.coordinator.dispatch.worker.RelativeLease.Verdicts;
import io.bitloom.v1.HeldLease;
import io.bitloom.v1.Job;
import io.bitloom.v1.PromptResult;
import io.bitloom.v1.TaskRef;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Leases that workers bring along by the places of their prompts. */
class BroughtLeasesIT extends DispatchFixture {

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void theRestOfALeaseIsTakenByTheSameIndexes(boolean elsewhere) throws Exception {
    Job job = coordinator.submit(prompts(4, "1:1"));
    ScriptedWorker first = connectRelative("w");
    RelativeLease lease = first.relativeLease();
    assertEquals(Verdicts.of(List.of(0, 2)), first.report(lease.drawn(2, 0)));
    first.cut();
    try (TestCoordinator other = coordinator.second()) {
      ScriptedWorker again =
          new ScriptedWorker((elsewhere ? other : coordinator).channel())
              .welcomeRelative("w", lease.held(3, 1));
      assertEquals(List.of(), again.welcomed().getLostLeasesList());
      assertEquals(Verdicts.of(List.of(), 0, 2), again.report(lease.drawn(0, 2)));
      assertEquals(Verdicts.of(List.of(1)), again.report(lease.drawn(1)));
      assertEquals(Verdicts.of(List.of(3)), again.report(lease.drawn(3)));
    }
    assertAllDrawn(job, lease);
  }

  /** It was cut off before it heard of them. */
  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void promptsThatHaveTheirOutcomeMayBeNamed(boolean elsewhere) throws Exception {
    Job job = coordinator.submit(prompts(4, "1:1"));
    ScriptedWorker first = connectRelative("w");
    RelativeLease lease = first.relativeLease();
    assertEquals(Verdicts.of(List.of(0, 2)), first.report(lease.drawn(2, 0)));
    first.cut();
    try (TestCoordinator other = coordinator.second()) {
      ScriptedWorker again =
          new ScriptedWorker((elsewhere ? other : coordinator).channel())
              .welcomeRelative("w", lease.held(0, 1, 2, 3));
      assertEquals(List.of(), again.welcomed().getLostLeasesList());
      assertEquals(Verdicts.of(List.of(1, 3), 0, 2), again.report(lease.drawn(0, 1, 2, 3)));
    }
    assertAllDrawn(job, lease);
  }

  @Test
  void whatIsNotNamedGoesToOthersAtOnceAndIsRefused() throws Exception {
    Job job = coordinator.submit(prompts(4, "1:1"));
    ScriptedWorker first = connectRelative("w");
    RelativeLease lease = first.relativeLease();
    first.cut();
    ScriptedWorker again = connectRelative("w", lease.held(3, 1));
    ScriptedWorker other = connectRelative("other");
    RelativeLease unnamed = other.relativeLease();
    assertEquals(List.of(lease.refs().get(0), lease.refs().get(2)), unnamed.refs());
    assertEquals(Verdicts.of(List.of(1, 3), 0, 2), again.report(lease.drawn(0, 1, 2, 3)));
    assertEquals(Verdicts.of(List.of(0, 1)), other.report(unnamed.drawn(0, 1)));
    assertEquals(4, coordinator.results(job.getName()).size());
    assertEquals(0, coordinator.job(job.getName()).getCounts().getRetried());
  }

  static Stream<Arguments> hostile() {
    return Stream.of(
        named("fewer indexes", held -> held.clearIndexes().addAllIndexes(List.of(0, 1, 2))),
        named("more indexes", held -> held.addIndexes(4)),
        named("indexes of nothing", HeldLease.Builder::clearTasks),
        named("an index twice", held -> held.setIndexes(3, 0)),
        named("a prompt twice", held -> held.addIndexes(4).addTasks(held.getTasks(0))),
        named("a prompt twice in form 1", held -> held.clearIndexes().addTasks(held.getTasks(0))),
        named("a negative index", held -> held.setIndexes(0, -1)),
        named("a huge index", held -> held.setIndexes(0, Integer.MAX_VALUE)));
  }

  private static Arguments named(String what, Consumer<HeldLease.Builder> change) {
    return Arguments.of(what, change);
  }

  @ParameterizedTest
  @MethodSource("hostile")
  void indexesThatCannotBeAreRefusedWithoutHarm(String what, Consumer<HeldLease.Builder> change)
      throws Exception {
    Job job = coordinator.submit(prompts(4, "1:1"));
    RelativeLease lease = connectRelative("w").relativeLease();
    HeldLease.Builder held = lease.held(0, 1, 2, 3).toBuilder();
    change.accept(held);
    ScriptedWorker hostile = new ScriptedWorker(coordinator.channel());
    hostile.send(m -> m.setHello(hello("w").setForm(2).addHeldLeases(held)));
    assertEquals(ErrorCode.PROTOCOL_VIOLATION, hostile.failure());

    ScriptedWorker again = connectRelative("w", lease.held(0, 1, 2, 3));
    assertEquals(List.of(), again.welcomed().getLostLeasesList());
    assertEquals(Verdicts.of(List.of(0, 1, 2, 3)), again.report(lease.drawn(0, 1, 2, 3)));
    assertAllDrawn(job, lease);
  }

  private void assertAllDrawn(Job job, RelativeLease lease) throws Exception {
    List<PromptResult> results = coordinator.results(job.getName());
    assertEquals(lease.refs().size(), results.size());
    for (PromptResult result : results) {
      TaskRef ref =
          TaskRef.newBuilder().setJob(job.getName()).setOffset(result.getOffset()).build();
      assertEquals(
          "image " + lease.refs().indexOf(ref),
          result.getImages().getImages(0).getData().toStringUtf8());
    }
    assertEquals(results.size(), storedImages());
    assertEquals(0, coordinator.job(job.getName()).getCounts().getRetried());
  }
}
