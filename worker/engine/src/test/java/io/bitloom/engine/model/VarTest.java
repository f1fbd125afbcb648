package io.bitloom.engine.model;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonParser;
import io.bitloom.engine.checkpoint.RuleTensor;
import io.bitloom.engine.checkpoint.SafetensorsFile;
import io.bitloom.engine.codes.CodebookCodes;
import io.bitloom.engine.codes.ResidualCodes;
import io.bitloom.engine.tensor.DType;
import io.bitloom.engine.tensor.PackedRows;
import io.bitloom.engine.tensor.Scope;
import io.bitloom.engine.tensor.Tensors;
import io.bitloom.engine.tensor.TorchDevice;
import io.bitloom.engine.tensor.Weights;
import io.bitloom.engine.tokenizer.TokenizerConfig;
import io.bitloom.engine.tokenizer.TokenizerLayout;
import io.bitloom.engine.tokenizer.VisualTokenizer;
import java.net.URISyntaxException;
import java.nio.file.Path;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.ScalarOptional;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A small VAR and VQVAE against what the official code draws with the same weights. */
class VarTest {
  private static final TokenizerConfig TOKENIZER =
      new TokenizerConfig(8, 16, 32, List.of(1, 1, 2, 2, 4), 2, 24, 1);
  private static final int SCALES = 4;

  /** Of make_var_fixture.py; it grows linearly from 0 at the first scale. */
  private static final double CFG = 2.5;

  private static final double TOLERANCE = 2e-4;

  private Scope scope;

  @BeforeEach
  void openScope() {
    scope = Scope.open();
  }

  @AfterEach
  void closeScope() {
    scope.close();
  }

  private static InfinityConfig config(String flags) {
    return InfinityConfig.parse(
        JsonParser.parseString(
                String.format(
                    Locale.ROOT,
                    """
                    {"num_classes": 10, "vocab_size": 24, "patch_nums": [1, 2, 3, 4], "embed_dim": 32,
                     "depth": 2, "num_heads": 2, %s}
                    """,
                    flags))
            .getAsJsonObject(),
        TOKENIZER.codebookDim());
  }

  /** The same weights as make_var_fixture.py gives. */
  private static Weights weights(Map<String, long[]> layout) {
    Weights weights = new Weights("rule");
    layout.forEach(
        (name, shape) -> {
          try (Scope each = Scope.open()) {
            boolean norm = shape.length == 1 && name.endsWith("norm.weight");
            double scale = 0.3;
            if (shape.length == 4 && shape[0] > 1 && shape[1] > 1) {
              scale = 1.7 / Math.sqrt(shape[1] * shape[2] * shape[3]);
            } else if (shape.length == 2) {
              scale = 1.7 / Math.sqrt(shape[1]);
            }
            boolean zero = name.endsWith("zero_k_bias");
            weights.put(
                name, new RuleTensor(name, shape, norm ? 1 : 0, zero ? 0 : scale).generate(1));
          }
        });
    return weights;
  }

  private static GenerationBatch batch(InfinityConfig config, float... labels) {
    ImageSampling greedy =
        new ImageSampling(
            0,
            0,
            List.of(1.0, 1 + CFG / 3, 1 + CFG * 2 / 3, 1 + CFG),
            Set.of(ImageSampling.LOGITS),
            Collections.nCopies(SCALES, 1.0),
            1,
            0);
    return new GenerationBatch(
        config.square().scales(),
        new PackedRows(Tensors.of(labels, labels.length, 1), Collections.nCopies(labels.length, 1)),
        null,
        Collections.nCopies(labels.length, greedy));
  }

  private static ResidualCodes codes(InfinityConfig config, Weights tokenizer) {
    return new CodebookCodes(
        config.bitsPerToken(), config.square().vocabulary(), tokenizer, TorchDevice.CPU);
  }

  private static InfinityTransformer model(InfinityConfig config, Weights tokenizer) {
    try (Weights weights = weights(InfinityLayout.of(config))) {
      return InfinityTransformer.forInference(
          config, weights, codes(config, tokenizer), TorchDevice.CPU, DType.F32);
    }
  }

  private static void assertClose(String what, Tensor expected, Tensor actual) {
    assertArrayEquals(expected.shape(), actual.shape(), what);
    double worst = expected.sub(actual).abs().max().item_double();
    assertTrue(worst < TOLERANCE, what + " differs by " + worst);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      value = {
        "cosine; \"attn_l2_norm\": true, \"shared_aln\": false",
        "dot; \"attn_l2_norm\": false, \"shared_aln\": true"
      })
  void drawsWhatTheOfficialCodeDraws(String testCase, String flags) throws URISyntaxException {
    Path file = Path.of(VarTest.class.getResource("var.safetensors").toURI());
    InfinityConfig config = config(flags);
    try (Weights all = SafetensorsFile.read(file).load();
        Weights stored = weights(TokenizerLayout.of(TOKENIZER));
        VisualTokenizer tokenizer = new VisualTokenizer(TOKENIZER, stored);
        InfinityTransformer model = model(config, stored)) {
      Weights official = all.at(testCase + "/");
      Map<String, Tensor> seen = new HashMap<>();
      Generation drawn =
          model.generate(
              batch(config, 3, 7),
              ScaleObserver.NONE,
              Trace.to((name, x) -> seen.put(name, scope.keep(x.clone()))));
      for (int k = 0; k < SCALES; k++) {
        assertClose("logits " + k, official.get("logits/" + k), seen.get("logits/" + k));
        assertArrayEquals(
            Tensors.longs(official.get("codes/" + k)),
            Tensors.longs(drawn.bits().get(k)),
            "codes " + k);
      }
      assertClose("sum", official.get("sum"), drawn.summedCodesBdHW());
      Tensor picture = tokenizer.decode(drawn.summedCodesBdHW().narrow(0, 0, 1));
      assertClose(
          "picture",
          official.get("picture"),
          picture.clamp(new ScalarOptional(new Scalar(-1.0)), new ScalarOptional(new Scalar(1.0))));
      assertEquals(Set.of(), tokenizer.unexpected());
    }
  }

  @Test
  void theTeacherForcedPassSeesWhatGenerationSees() throws URISyntaxException {
    Path file = Path.of(VarTest.class.getResource("var.safetensors").toURI());
    InfinityConfig config = config("\"attn_l2_norm\": true");
    try (Weights all = SafetensorsFile.read(file).load();
        Weights stored = weights(TokenizerLayout.of(TOKENIZER));
        ResidualCodes codes = codes(config, stored);
        Weights weights = weights(InfinityLayout.of(config));
        InfinityTransformer model =
            InfinityTransformer.forTraining(config, weights, TorchDevice.CPU, DType.F32)) {
      Weights official = all.at("cosine/");
      Tensor sum = codes.none(2, config.square().scales().get(SCALES - 1), TorchDevice.CPU);
      Tensor inputs = null;
      for (int k = 0; k + 1 < SCALES; k++) {
        Tensor drawn = official.get("codes/" + k).unsqueeze(-1);
        sum = sum.add(codes.upsampled(drawn, k, config.square().scales()));
        Tensor tokens = codes.nextInput(sum, config.square().scales().get(k + 1));
        inputs = inputs == null ? tokens : Tensors.concat(List.of(inputs, tokens), 1);
      }
      GenerationBatch batch = batch(config, 3, 7);
      Tensor logits = model.forward(batch.prompts(), List.of(false, false), inputs, batch.scales());
      assertClose("forced logits", official.get("forced"), logits);
    }
  }

  @Test
  void aClassThatTheModelDoesNotHaveIsRefused() {
    InfinityConfig config = config("\"attn_l2_norm\": true");
    try (Weights stored = weights(TokenizerLayout.of(TOKENIZER));
        InfinityTransformer model = model(config, stored)) {
      String refusal =
          assertThrows(
                  IllegalArgumentException.class,
                  () -> model.generate(batch(config, 12), ScaleObserver.NONE))
              .getMessage();
      assertTrue(refusal.contains("0 to 9"), refusal);
    }
  }
}
