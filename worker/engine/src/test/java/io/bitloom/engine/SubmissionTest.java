package io.bitloom.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bitloom.common.error.BitloomException;
import io.bitloom.common.error.ErrorCode;
import io.bitloom.common.rules.ImagePrompt;
import io.bitloom.common.schedule.ScaleSchedule;
import io.bitloom.common.schedule.ScaleSchedules;
import java.util.List;
import java.util.function.Function;
import org.junit.jupiter.api.Test;

class SubmissionTest {
  private final PromptWork one = prompt("one", 1);
  private final PromptWork three = prompt("three", 3);
  private final PromptWork last = prompt("last", 1);
  private final Submission pending = submission(one, three, last);

  @Test
  void batchesAreFilledAcrossPromptsInOrder() {
    assertEquals(List.of("one 0", "three 0", "three 1"), names(pending.next(3)));
    assertEquals(List.of("three 2", "last 0"), names(pending.next(3)));
    assertEquals(List.of(), pending.next(3));
  }

  @Test
  void aPromptCanBeWithdrawnUntilItsFirstImageIsTaken() {
    pending.next(2);
    assertFalse(one.withdraw());
    assertFalse(three.withdraw());
    assertTrue(last.withdraw());
    assertEquals(List.of("three 1", "three 2"), names(pending.next(4)));
    assertEquals(List.of(), pending.next(4));
  }

  @Test
  void theRestOfAFailedOrAbandonedPromptIsNotDrawn() {
    pending.next(2);
    three.failed(new BitloomException(ErrorCode.INTERNAL, "broken"));
    last.abandon();
    assertEquals(List.of(), pending.next(4));
  }

  @Test
  void aBatchThatWasPutBackComesAgainInTheSameOrder() {
    List<ImageRequest> batch = pending.next(4);
    pending.putBack(batch);
    assertEquals(List.of("one 0", "three 0"), names(pending.next(2)));
    assertEquals(List.of("three 1", "three 2"), names(pending.next(2)));
    assertEquals(List.of("last 0"), names(pending.next(2)));
  }

  @Test
  void thePromptsOfAFailedBatchAreTriedAloneAndTheOthersTogether() {
    PromptWork next = prompt("next", 2);
    Submission images = submission(one, three, last, next);
    images.separate(images.next(4));
    assertEquals(List.of("one 0"), names(images.next(4)));
    assertEquals(List.of("three 0", "three 1", "three 2"), names(images.next(4)));
    assertEquals(List.of("last 0", "next 0", "next 1"), names(images.next(4)));
  }

  @Test
  void aBatchEndsWhereTheKindChanges() {
    PromptWork other = prompt("other", 2);
    Submission mixed = submission(one, three, other, last);
    Function<ImageRequest, Boolean> kind = image -> image.work() == other;
    assertEquals(List.of("one 0", "three 0", "three 1"), names(mixed.next(3, kind)));
    assertEquals(List.of("three 2"), names(mixed.next(3, kind)));
    assertEquals(List.of("other 0", "other 1"), names(mixed.next(3, kind)));
    assertEquals(List.of("last 0"), names(mixed.next(3, kind)));
    assertEquals(List.of(), mixed.next(3, kind));
  }

  private static PromptWork prompt(String customId, int images) {
    return new PromptWork(ImagePrompt.builder("").customId(customId).numImages(images).build());
  }

  private static Submission submission(PromptWork... prompts) {
    ScaleSchedule schedule = ScaleSchedules.find("1.0_0.06M").orElseThrow();
    return new Submission(schedule, List.of(prompts), scale -> {});
  }

  private static List<String> names(List<ImageRequest> batch) {
    return batch.stream()
        .map(image -> image.work().prompt().customId() + " " + image.index())
        .toList();
  }
}
