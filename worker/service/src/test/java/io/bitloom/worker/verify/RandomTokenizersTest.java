package io.bitloom.worker.verify;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** What is served is as accurate as the plain way, whatever the tokenizer. */
class RandomTokenizersTest {
  @TestFactory
  Stream<DynamicTest> everyKindIsServedAsAccuratelyAsByThePlainWay() {
    List<CaseReport> reports = new ArrayList<>();
    new RandomTokenizersCheck(1).run(reports::add);
    return reports.stream()
        .map(
            report ->
                DynamicTest.dynamicTest(
                    report.name(),
                    () ->
                        assertTrue(
                            report.holds(), () -> String.join("\n", VerifyCommand.lines(report)))));
  }

  @Test
  void thereAreMoreThan200AndASeedDrawsTheSameOneAgain() {
    List<RandomTokenizer> all = all();
    assertTrue(all.size() >= 200, all.size() + " tokenizers");
    assertEquals(all, all());
    assertEquals(all.size(), all.stream().map(RandomTokenizer::seed).distinct().count());
  }

  private static List<RandomTokenizer> all() {
    return Arrays.stream(RandomTokenizer.Kind.values())
        .flatMap(kind -> RandomTokenizer.of(kind, 1).stream())
        .toList();
  }
}
