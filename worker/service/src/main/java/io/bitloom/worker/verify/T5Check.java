package io.bitloom.worker.verify;

import io.bitloom.engine.checkpoint.JsonFields;
import io.bitloom.engine.tensor.DType;
import io.bitloom.engine.tensor.PackedRows;
import io.bitloom.engine.tensor.Tensors;
import io.bitloom.engine.tensor.Weights;
import io.bitloom.engine.text.RelativePositions;
import io.bitloom.engine.text.T5Config;
import io.bitloom.engine.text.T5Encoder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.LongStream;
import org.bytedeco.pytorch.Tensor;

/** Checks {@code t5_encoder*}: token ids to features, padded and packed. */
final class T5Check implements FixtureCheck {
  private static final double TOLERANCE = 2e-4;

  @Override
  public void check(Fixture fixture, FileReport report) {
    T5Config config = T5Config.parse(fixture.structure("config"));
    Weights tensors = fixture.tensors();
    if (tensors.has("relative_position")) {
      report.testCase("relative_position", found -> checkPositions(config, tensors, found));
    }
    Weights weights = fixture.tensors("weights");
    try (T5Encoder encoder = new T5Encoder(config, weights, Fixture.DEVICE, DType.F32)) {
      JsonFields cases = fixture.structure("cases");
      for (String name : cases.names()) {
        report.testCase(
            name,
            found -> checkCase(encoder, config, cases.object(name), fixture.tensors(name), found));
      }
    }
  }

  private static void checkPositions(T5Config config, Weights tensors, CaseReport found) {
    long[] buckets =
        LongStream.of(Tensors.longs(tensors.get("relative_position")))
            .map(p -> RelativePositions.bucket(p, config.buckets(), config.maxDistance()))
            .toArray();
    found.equal(
        "relative_position_bucket",
        Tensors.of(buckets, buckets.length),
        tensors.get("relative_position_bucket"));
  }

  private static void checkCase(
      T5Encoder encoder, T5Config config, JsonFields settings, Weights tensors, CaseReport found) {
    Tensor ids = tensors.get("input_ids"); // (B, L)
    Tensor mask = tensors.get("attention_mask"); // (B, L)
    long[] lengths = settings.integers("lens");
    found.equal("length", Math.toIntExact(ids.size(1)), settings.integer("length"));
    found.equal("lens", Tensors.of(lengths, lengths.length), tensors.get("lens"));
    found.equal("attention_mask", mask.sum(1), tensors.get("lens"));
    List<long[]> prompts = new ArrayList<>();
    long[] all = Tensors.longs(ids);
    for (int i = 0; i < lengths.length; i++) {
      int start = Math.toIntExact(i * ids.size(1));
      prompts.add(Arrays.copyOfRange(all, start, start + Math.toIntExact(lengths[i])));
    }
    PackedRows features =
        encoder.encode(
            prompts,
            (output, block) -> {
              String name = "block" + block + "_output";
              if (tensors.has(name)) {
                found.close(name, output, rows(tensors.get(name), lengths), TOLERANCE);
              }
            });
    Tensor hidden = tensors.get("last_hidden_state");
    found.close("last_hidden_state", features.rows(), rows(hidden, lengths), TOLERANCE);
    found.close("kv_compact", features.rows(), tensors.get("kv_compact"), TOLERANCE);
  }

  /** The rows of tokens among the rows of padded prompts: the others are never used. */
  private static Tensor rows(Tensor paddedBLC, long[] lengths) {
    List<Tensor> rows = new ArrayList<>();
    for (int i = 0; i < lengths.length; i++) {
      rows.add(paddedBLC.select(0, i).narrow(0, 0, lengths[i]));
    }
    return Tensors.concat(rows, 0); // (N, C)
  }
}
