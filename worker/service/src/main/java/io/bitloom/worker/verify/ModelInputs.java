package io.bitloom.worker.verify;

import com.google.gson.JsonElement;
import io.bitloom.common.schedule.Scale;
import io.bitloom.engine.checkpoint.JsonFields;
import io.bitloom.engine.model.GenerationBatch;
import io.bitloom.engine.model.ImageSampling;
import io.bitloom.engine.tensor.PackedRows;
import io.bitloom.engine.tensor.Tensors;
import io.bitloom.engine.tensor.Weights;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Set;
import java.util.stream.DoubleStream;
import java.util.stream.LongStream;
import org.bytedeco.pytorch.Tensor;

/**
 * The transformer's inputs in a case. Some stand both in the settings and in tensors, which must
 * agree.
 */
final class ModelInputs {
  private static final double FLOAT32 = 1e-6;

  private final JsonFields settings;
  private final Weights tensors;
  private final CaseReport found;

  ModelInputs(JsonFields settings, Weights tensors, CaseReport found) {
    this.settings = settings;
    this.tensors = tensors;
    this.found = found;
  }

  List<Scale> scales() {
    return Fixture.scales(settings, "scale_schedule");
  }

  /** Prompts: {@code lens} and {@code text_*}. */
  PackedRows prompts() {
    PackedRows prompts = texts("lens", "text_");
    found.equal("batch", prompts.count(), settings.integer("batch"));
    return prompts;
  }

  /** Which prompts are replaced by the unconditional text: {@code cond_drop}, or none. */
  List<Boolean> dropped() {
    if (!has("cond_drop")) {
      return Collections.nCopies(settings.integer("batch"), false);
    }
    long[] flags = settings.integers("cond_drop");
    found.equal("cond_drop", Tensors.of(flags, flags.length), tensors.get("cond_drop"));
    return Arrays.stream(flags).mapToObj(flag -> flag != 0).toList();
  }

  /** Everything that a generation needs. */
  GenerationBatch generation() {
    if (settings.integer("top_k") != 1) {
      throw new IllegalArgumentException("top_k: only greedy generation (1) can be compared");
    }
    ImageSampling image =
        new ImageSampling(0, 0, perScale("cfg_list"), guidanceLayers(), perScale("tau_list"), 1, 0);
    PackedRows negative = has("neg_lens") ? texts("neg_lens", "neg_text_") : null;
    List<ImageSampling> images = Collections.nCopies(settings.integer("batch"), image);
    return new GenerationBatch(scales(), prompts(), negative, images);
  }

  private boolean has(String name) {
    return settings.has(name) && !settings.json().get(name).isJsonNull();
  }

  private PackedRows texts(String lengths, String prefix) {
    List<Integer> expected = ints(settings.integers(lengths));
    List<Integer> stored = ints(Tensors.longs(tensors.get(prefix + "lens")));
    found.equal(prefix + "lens", stored, expected);
    return new PackedRows(tensors.get(prefix + "kv_compact"), stored);
  }

  private Set<Integer> guidanceLayers() {
    return Set.copyOf(ints(settings.integers("cfg_insertion_layer")));
  }

  /** A value for each scale; a single one is for all of them. */
  private List<Double> perScale(String name) {
    JsonElement value = settings.json().get(name);
    List<Double> values =
        value != null && value.isJsonPrimitive()
            ? Collections.nCopies(scales().size(), settings.number(name))
            : DoubleStream.of(settings.numbers(name)).boxed().toList();
    double[] row = values.stream().mapToDouble(Double::doubleValue).toArray();
    Tensor stored = tensors.get(name);
    found.close(name, Tensors.of(row, row.length), stored.flatten(), FLOAT32);
    return values;
  }

  private static List<Integer> ints(long[] values) {
    return LongStream.of(values).mapToObj(Math::toIntExact).toList();
  }
}
