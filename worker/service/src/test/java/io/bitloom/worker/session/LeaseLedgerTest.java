package io.bitloom.worker.session;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.ByteString;
import com.google.protobuf.util.Durations;
import io.bitloom.v1.GeneratedImage;
import io.bitloom.v1.GeneratedImages;
import io.bitloom.v1.HeldLease;
import io.bitloom.v1.IndexRange;
import io.bitloom.v1.LeaseOutcomes;
import io.bitloom.v1.LeaseVerdicts;
import io.bitloom.v1.PromptOutcome;
import io.bitloom.v1.StageTimes;
import io.bitloom.v1.TaskRef;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

class LeaseLedgerTest {
  private static final HeldLease LEASE =
      HeldLease.newBuilder().setLeaseId("lease").setFencingToken(7).setSecret("secret").build();
  private static final int PROMPTS = 8;
  private static final StageTimes TIMES =
      StageTimes.newBuilder().setDecode(Durations.fromMillis(5)).build();

  private static final ByteString FILE = ByteString.copyFromUtf8("a file");

  private final LeaseLedger held = new LeaseLedger();

  LeaseLedgerTest() {
    take(LEASE);
  }

  private void take(HeldLease lease) {
    held.add(lease);
    for (int index = 0; index < PROMPTS; index++) {
      held.add(lease.getLeaseId(), index, task(index), null);
    }
  }

  @Test
  void anOutcomeIsSentOncePerConnectionUntilItIsAcknowledged() {
    held.finished(outcome(0));
    assertEquals(List.of(0), nextIndexes());
    assertEquals(List.of(), nextIndexes());

    held.sendAllAgain(false);
    assertEquals(List.of(0), nextIndexes());

    held.acknowledged(committed(0, 1));
    held.sendAllAgain(false);
    assertEquals(List.of(), nextIndexes());
  }

  @Test
  void outcomesOfOneDrawingAreToldInOneMessageThatSaysWhatTheyShareOnce() {
    held.finished(drawn(LEASE, 3, 2, TIMES));
    held.finished(drawn(LEASE, 1, 2, TIMES));
    assertEquals(
        Optional.of(
            LeaseOutcomes.newBuilder()
                .setLeaseId("lease")
                .setFencingToken(7)
                .setLeaseSecret("secret")
                .addOutcomes(PromptOutcome.newBuilder().setIndex(3))
                .addOutcomes(PromptOutcome.newBuilder().setIndex(1))
                .setBatchImages(2)
                .setTimes(TIMES)
                .build()),
        nextUnsent());
  }

  @Test
  void outcomesThatShareNoLeaseBatchOrTimesAreToldApart() {
    HeldLease other = LEASE.toBuilder().setLeaseId("other").build();
    take(other);
    held.finished(drawn(LEASE, 0, 2, TIMES));
    held.finished(drawn(other, 1, 2, TIMES));
    held.finished(drawn(other, 2, 1, TIMES));
    held.finished(drawn(other, 3, 1, StageTimes.getDefaultInstance()));
    for (int index = 0; index < 4; index++) {
      assertEquals(List.of(index), nextIndexes());
    }
    assertEquals(List.of(), nextIndexes());
  }

  @Test
  void smallOutcomesGoTogetherAndLargeOnesAlone() {
    ByteString bytes = ByteString.copyFrom(new byte[70 << 10]);
    held.finished(outcome(0));
    held.finished(outcome(1, images(image -> image.setData(bytes))));
    held.finished(outcome(2));
    held.finished(outcome(3));
    assertEquals(List.of(0), nextIndexes());
    assertEquals(List.of(1), nextIndexes());
    assertEquals(List.of(2, 3), nextIndexes());

    held.acknowledged(committed(1, 1));
    held.sendAllAgain(false);
    assertEquals(List.of(0, 2, 3), nextIndexes());
  }

  @Test
  void anOutcomeThatWaitsToBeSentIsDroppedWithItsLease() {
    held.finished(outcome(0));
    held.giveUp("lease", List.of());
    assertEquals(List.of(), nextIndexes());
    held.finished(outcome(1));
    assertEquals(List.of(), nextIndexes());
    assertTrue(held.isEmpty());
    assertEquals(0, held.unacknowledgedBytes());
  }

  @Test
  void promptsThatAreLostByNameAreDroppedAndNoOthers() {
    held.finished(outcome(0));
    held.finished(outcome(1));
    held.giveUp("lease", List.of(task(0), task(5)));
    assertEquals(List.of(1), nextIndexes());
    assertEquals(List.of(1, 2, 3, 4, 6, 7), held.leasesWithPrompts().get(0).getIndexesList());
  }

  @Test
  void bytesCountFromTheOutcomeToItsAcknowledgement() {
    LeasedOutcome outcome = outcome(1);
    held.finished(outcome);
    assertEquals(outcome.size(), held.unacknowledgedBytes());
    nextUnsent();
    assertEquals(outcome.size(), held.unacknowledgedBytes());
    held.acknowledged(committed(1, 1));
    assertEquals(0, held.unacknowledgedBytes());
  }

  @Test
  void verdictsSettleEveryPlaceOfTheirRangesAndNothingElse() {
    for (int index = 0; index < PROMPTS; index++) {
      held.finished(outcome(index));
    }
    LeaseVerdicts verdicts =
        committed(0, 2).toBuilder().addCommitted(range(3, 1)).addSuperseded(range(5, 2)).build();
    held.acknowledged(verdicts.toBuilder().setLeaseId("another").build());
    assertEquals(PROMPTS, held.leasesWithPrompts().get(0).getIndexesCount());

    held.acknowledged(verdicts);
    HeldLease open = held.leasesWithPrompts().get(0);
    assertEquals(List.of(2, 4, 7), open.getIndexesList());
    assertEquals(List.of(task(2), task(4), task(7)), open.getTasksList());
    held.sendAllAgain(false);
    assertEquals(List.of(2, 4, 7), nextIndexes());

    held.acknowledged(committed(4, 0));
    held.acknowledged(verdicts);
    assertEquals(List.of(open), held.leasesWithPrompts());

    held.acknowledged(committed(1, Integer.MAX_VALUE));
    assertTrue(held.isEmpty());
    assertEquals(0, held.unacknowledgedBytes());
  }

  @Test
  void aHeartbeatNamesLeasesWithoutTheirPrompts() {
    held.acknowledged(committed(0, 1));
    assertEquals(List.of(LEASE), held.leases());
    held.acknowledged(committed(1, PROMPTS - 1));
    assertEquals(List.of(), held.leases());
  }

  @Test
  void imagesAreUploadedBeforeTheirOutcomeIsSentUnlessThatCannotBe() {
    held.sendAllAgain(true);
    LeasedOutcome first = outcome(0, images(image -> image.setData(FILE)));
    LeasedOutcome second = outcome(1, images(image -> image.setData(FILE)));
    held.finished(first);
    held.finished(second);
    assertEquals(Optional.empty(), nextUnsent());
    assertEquals(Optional.of(first), held.nextUnstored());
    assertEquals(Optional.of(second), held.nextUnstored());
    assertEquals(Optional.empty(), held.nextUnstored());

    LeasedOutcome named = outcome(0, images(image -> image.setUri("a")));
    held.uploaded(named);
    held.notUploaded(second);
    Optional<LeaseOutcomes> both = Optional.of(LeasedOutcome.message(List.of(named, second)));
    assertEquals(both, nextUnsent());
    assertEquals(named.size() + second.size(), held.unacknowledgedBytes());

    held.sendAllAgain(true);
    assertEquals(Optional.empty(), held.nextUnstored());
    assertEquals(both, nextUnsent());
  }

  /** Places of the prompts in the next message; none if there is none. */
  private List<Integer> nextIndexes() {
    return nextUnsent().stream()
        .flatMap(message -> message.getOutcomesList().stream())
        .map(PromptOutcome::getIndex)
        .toList();
  }

  private static TaskRef task(int index) {
    return TaskRef.newBuilder().setJob("jobs/a").setOffset(10 + index).build();
  }

  private static IndexRange range(int first, int count) {
    return IndexRange.newBuilder().setFirst(first).setCount(count).build();
  }

  private static LeaseVerdicts committed(int first, int count) {
    return LeaseVerdicts.newBuilder().setLeaseId("lease").addCommitted(range(first, count)).build();
  }

  private static GeneratedImages images(Consumer<GeneratedImage.Builder> content) {
    GeneratedImage.Builder image = GeneratedImage.newBuilder();
    content.accept(image);
    return GeneratedImages.newBuilder().addImages(image).build();
  }

  private static LeasedOutcome outcome(int index) {
    return drawn(LEASE, index, 0, StageTimes.getDefaultInstance());
  }

  private static LeasedOutcome outcome(int index, GeneratedImages images) {
    LeasedOutcome outcome = outcome(index);
    return outcome.with(outcome.outcome().toBuilder().setImages(images).build());
  }

  private static LeasedOutcome drawn(
      HeldLease lease, int index, int batchImages, StageTimes times) {
    PromptOutcome outcome = PromptOutcome.newBuilder().setIndex(index).build();
    return new LeasedOutcome(lease, task(index), outcome, batchImages, times, 0);
  }

  private Optional<LeaseOutcomes> nextUnsent() {
    List<LeasedOutcome> next = held.nextUnsent();
    return next.isEmpty() ? Optional.empty() : Optional.of(LeasedOutcome.message(next));
  }
}
