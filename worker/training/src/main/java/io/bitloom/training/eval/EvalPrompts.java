package io.bitloom.training.eval;

import io.bitloom.common.file.FileFaults;
import io.bitloom.engine.tensor.WeightsException;
import io.bitloom.training.data.demo.DemoDataset;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

/** Lists of prompts to measure with, one JSON object a line. */
public final class EvalPrompts {
  private static final String BUILT_IN = "held-out-prompts.jsonl";

  /** The list that comes with Bitloom was made with this seed. */
  static final long SEED = 2026;

  private EvalPrompts() {}

  /** The list that comes with Bitloom: held-out compositions in all aspect ratios in turn. */
  public static List<EvalPrompt> builtIn() {
    try (BufferedReader lines =
        new BufferedReader(
            new InputStreamReader(
                EvalPrompts.class.getResourceAsStream(BUILT_IN), StandardCharsets.UTF_8))) {
      return parse(BUILT_IN, lines.lines().toList());
    } catch (IOException e) {
      throw new UncheckedIOException(BUILT_IN, e);
    }
  }

  /**
   * Reads a list.
   *
   * @throws WeightsException naming file and line of what is wrong
   */
  public static List<EvalPrompt> read(Path file) {
    try {
      return parse(file.toString(), Files.readAllLines(file));
    } catch (IOException e) {
      throw new WeightsException("the prompts cannot be read: " + FileFaults.message(e));
    }
  }

  /** New held-out prompts. */
  public static List<EvalPrompt> draw(int count, long seed) {
    DemoDataset dataset = DemoDataset.heldOut(seed);
    return IntStream.range(0, count).mapToObj(i -> EvalPrompt.of(dataset.example(i))).toList();
  }

  private static List<EvalPrompt> parse(String source, List<String> lines) {
    List<EvalPrompt> prompts = new ArrayList<>();
    for (int i = 0; i < lines.size(); i++) {
      if (!lines.get(i).isBlank()) {
        prompts.add(EvalPrompt.parse(source + ":" + (i + 1), lines.get(i)));
      }
    }
    if (prompts.isEmpty()) {
      throw new WeightsException(source, "has no prompts");
    }
    return prompts;
  }
}
