package io.bitloom.worker.verify;

import com.google.gson.JsonElement;
import io.bitloom.common.schedule.Scale;
import io.bitloom.worker.checkpoint.JsonFields;
import io.bitloom.worker.model.Generation;
import io.bitloom.worker.model.GenerationBatch;
import io.bitloom.worker.model.ImageSampling;
import io.bitloom.worker.model.InfinityTransformer;
import io.bitloom.worker.model.ScaleObserver;
import io.bitloom.worker.model.Trace;
import io.bitloom.worker.tensor.PackedRows;
import io.bitloom.worker.tensor.Tensors;
import io.bitloom.worker.tensor.Weights;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * Checks {@code transformer_infer*}: greedy generation, its inputs, logits, bits, codes and
 * pictures and, where the file has them, activations inside the network.
 */
final class InferCheck implements FixtureCheck {
  private static final String KIND = "transformer_infer_";

  private static final double LIST_TOLERANCE = 1e-6;
  private static final double LOGITS_TOLERANCE = 2e-3;
  private static final double CODES_TOLERANCE = 1e-5;
  private static final double ACTIVATION_TOLERANCE = 2e-3;

  @Override
  public void check(Fixture fixture, FileReport report) {
    try (Models models = new Models(fixture, KIND)) {
      JsonFields cases = fixture.structure("cases");
      for (String name : cases.names()) {
        report.testCase(name, found -> checkCase(fixture, models, name, cases.object(name), found));
      }
    }
  }

  private static void checkCase(
      Fixture fixture, Models models, String name, JsonFields settings, CaseReport found) {
    Weights expected = fixture.tensors(name);
    InfinityTransformer transformer = models.transformer(settings);
    GenerationBatch batch = batch(settings, expected, found);
    Trace trace =
        Trace.to((tensor, computed) -> compare(fixture, expected, tensor, computed, found));
    Generation generation = transformer.generate(batch, ScaleObserver.NONE, trace);
    for (int k = 0; k < generation.bits().size(); k++) {
      found.equal("bits/" + k, generation.bits().get(k), expected.get("bits/" + k));
    }
    found.close(
        "summed_codes",
        generation.summedCodesBdHW(),
        expected.get("summed_codes"),
        fixture.tolerance("summed_codes_abs", CODES_TOLERANCE));
  }

  private static void compare(
      Fixture fixture,
      Weights expected,
      String name,
      org.bytedeco.pytorch.Tensor computed,
      CaseReport found) {
    if (expected.has(name)) {
      double tolerance =
          name.startsWith("logits/")
              ? fixture.tolerance("logits_abs", LOGITS_TOLERANCE)
              : name.startsWith("act/") ? ACTIVATION_TOLERANCE : CODES_TOLERANCE;
      found.close(name, computed, expected.get(name), tolerance);
    }
  }

  private static GenerationBatch batch(JsonFields settings, Weights tensors, CaseReport found) {
    List<Scale> scales = Fixture.scales(settings, "scale_schedule");
    List<Double> guidance = perScale(settings, "cfg_list", scales.size());
    List<Double> temperature = perScale(settings, "tau_list", scales.size());
    found.close("cfg_list", row(guidance), tensors.get("cfg_list"), LIST_TOLERANCE);
    found.close("tau_list", row(temperature), tensors.get("tau_list"), LIST_TOLERANCE);
    PackedRows prompts = texts(settings, "lens", tensors, "text_", found);
    boolean hasNegative = settings.has("neg_lens") && !settings.json().get("neg_lens").isJsonNull();
    PackedRows negative =
        hasNegative ? texts(settings, "neg_lens", tensors, "neg_text_", found) : null;
    if (settings.integer("top_k") != 1) {
      throw new IllegalArgumentException("only greedy generation (top_k 1) can be compared");
    }
    Set<Integer> layers =
        IntStream.of(toInts(settings.integers("cfg_insertion_layer")))
            .boxed()
            .collect(Collectors.toSet());
    ImageSampling image = new ImageSampling(0, 0, guidance, layers, temperature, 1, 0);
    return new GenerationBatch(
        scales, prompts, negative, Collections.nCopies(settings.integer("batch"), image));
  }

  private static PackedRows texts(
      JsonFields settings, String lengths, Weights tensors, String prefix, CaseReport found) {
    int[] expected = toInts(settings.integers(lengths));
    List<Integer> found1 =
        IntStream.of(toInts(Tensors.longs(tensors.get(prefix + "lens")))).boxed().toList();
    found.equal(prefix + "lens", found1, IntStream.of(expected).boxed().toList());
    return new PackedRows(tensors.get(prefix + "kv_compact"), found1);
  }

  private static int[] toInts(long[] values) {
    return java.util.Arrays.stream(values).mapToInt(Math::toIntExact).toArray();
  }

  private static List<Double> perScale(JsonFields settings, String name, int scales) {
    JsonElement value = settings.json().get(name);
    if (value != null && value.isJsonPrimitive()) {
      return Collections.nCopies(scales, settings.number(name));
    }
    List<Double> values = new ArrayList<>();
    for (double item : settings.numbers(name)) {
      values.add(item);
    }
    return values;
  }

  private static org.bytedeco.pytorch.Tensor row(List<Double> values) {
    return Tensors.of(values.stream().mapToDouble(Double::doubleValue).toArray(), values.size());
  }
}
