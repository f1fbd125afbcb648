package io.bitloom.training.eval;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bitloom.engine.tensor.WeightsException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class EvalPromptsTest {
  @Test
  void theBuiltInListIsTheOneThatItsSeedDraws() {
    List<EvalPrompt> list = EvalPrompts.builtIn();
    assertEquals(EvalPrompts.draw(300, EvalPrompts.SEED), list);
  }

  @Test
  void theBuiltInListIsHeldOutAndCoversAllAspectRatiosEvenly() {
    List<EvalPrompt> list = EvalPrompts.builtIn();
    assertTrue(list.size() >= 300);
    assertTrue(list.stream().allMatch(prompt -> prompt.composition().heldOut()));
    Map<Double, Long> ratios =
        list.stream().collect(Collectors.groupingBy(EvalPrompt::hDivW, Collectors.counting()));
    assertEquals(6, ratios.size());
    assertTrue(ratios.values().stream().allMatch(count -> count == 50), ratios::toString);
    long pairs = list.stream().filter(it -> it.composition().subjects().size() == 2).count();
    assertTrue(pairs >= 100 && pairs <= 220, "pairs: " + pairs);
  }

  @Test
  void aListOfFilesIsReadAsItWasWritten(@TempDir Path folder) throws IOException {
    List<EvalPrompt> prompts = EvalPrompts.draw(20, 5);
    Path file = folder.resolve("list.jsonl");
    Files.write(file, prompts.stream().map(EvalPrompt::line).toList());
    assertEquals(prompts, EvalPrompts.read(file));
  }

  @Test
  void whatIsWrongIsNamedByFileLineAndField(@TempDir Path folder) throws IOException {
    Path file = folder.resolve("list.jsonl");
    String line = EvalPrompts.draw(1, 5).get(0).line();
    Files.write(
        file, List.of(line, line.replaceFirst("\"backdrop\":\"\\w+\"", "\"backdrop\":\"x\"")));
    WeightsException fault = assertThrows(WeightsException.class, () -> EvalPrompts.read(file));
    assertTrue(
        fault.getMessage().contains("list.jsonl:2") && fault.getMessage().contains("backdrop"),
        fault.getMessage());
  }
}
