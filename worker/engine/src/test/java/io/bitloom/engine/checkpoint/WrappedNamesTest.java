package io.bitloom.engine.checkpoint;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.bitloom.engine.tensor.Scope;
import io.bitloom.engine.tensor.Tensors;
import io.bitloom.engine.tensor.Weights;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class WrappedNamesTest {
  private static final List<String> OWN =
      List.of("blocks.0.sa.proj.weight", "block_chunks.0.module.3.ffn.fc1.bias", "head.weight");

  @TempDir private Path folder;

  @ParameterizedTest
  @ValueSource(
      strings = {
        "module.",
        "_orig_mod.",
        "model.",
        "ema.",
        "module._orig_mod.",
        "_orig_mod.module.",
        "model.module.",
        "ema_model.module._orig_mod.",
        "_fsdp_wrapped_module."
      })
  void wrappersAroundTheModelAreTakenOff(String wrapper) {
    List<String> stored = OWN.stream().map(wrapper::concat).toList();
    assertEquals(Set.of(""), WrappedNames.models(stored).keySet());
    assertEquals(OWN, List.copyOf(WrappedNames.models(stored).get("").values()));
  }

  @Test
  void wrappersAroundLayersAreTakenOff() {
    assertEquals(
        List.of("blocks.0.sa.weight", "blocks.1.sa.weight"),
        own("blocks.0._orig_mod.sa.weight", "blocks.1._checkpoint_wrapped_module.sa.weight"));
  }

  @Test
  void namesWithoutWrapperAreLeftAlone() {
    assertEquals(OWN, own(OWN.toArray(String[]::new)));
    assertEquals(List.of("model_x.a", "emale"), own("model_x.a", "emale"));
    assertEquals(List.of("a._orig_mod.b", "a.b"), own("a._orig_mod.b", "a.b"));
    assertEquals(List.of(), List.copyOf(WrappedNames.models(List.of()).keySet()));
  }

  @Test
  void aFewNamesLikeAWrapperMakeNoModel() {
    assertEquals(List.of("a", "b", "c", "d", "ema.decay"), own("a", "b", "c", "d", "ema.decay"));
  }

  @Test
  void severalModelsAreOfferedAndTheAverageComesFirst() {
    Map<String, Map<String, String>> models =
        WrappedNames.models(
            List.of("module.model.a", "module.ema.a", "module.model.b", "module.ema.b"));
    assertEquals(List.of("ema", "model"), List.copyOf(models.keySet()));
    assertEquals(Map.of("module.ema.a", "a", "module.ema.b", "b"), models.get("ema"));

    Map<String, Map<String, String>> lightning =
        WrappedNames.models(List.of("model.a", "model.b", "loss.a"));
    assertEquals(List.of("model", ""), List.copyOf(lightning.keySet()));
  }

  private static List<String> own(String... stored) {
    Collection<Map<String, String>> models = WrappedNames.models(List.of(stored)).values();
    assertEquals(1, models.size());
    return List.copyOf(models.iterator().next().values());
  }

  @ParameterizedTest
  @ValueSource(strings = {"model.pth", "model.safetensors"})
  void aModelIsReadUnderItsOwnNames(String name) throws IOException {
    Path file = folder.resolve(name);
    try (Weights weights = new Weights("test");
        Scope scope = Scope.open()) {
      for (String own : List.of("a", "b")) {
        weights.put("_orig_mod.model." + own, Tensors.of(new float[] {1, 2}, 2));
        weights.put("_orig_mod.ema." + own, Tensors.of(new float[] {3, 4}, 2));
      }
      if (name.endsWith(".pth")) {
        TorchFile.under(file, "state_dict", weights);
      } else {
        SafetensorsWriter.write(file, weights, Map.of());
      }
    }
    String prefix = name.endsWith(".pth") ? "state_dict." : "";
    assertEquals(
        List.of(prefix + "ema", prefix + "model"), List.copyOf(Checkpoints.sections(file)));
    try (Weights average = Checkpoints.open(file);
        Weights trained = Checkpoints.read(file, prefix + "model").load()) {
      assertEquals(Set.of("a", "b"), average.names());
      assertArrayEquals(new float[] {3, 4}, Tensors.floats(average.get("a", 2)));
      assertArrayEquals(new float[] {1, 2}, Tensors.floats(trained.get("b", 2)));
    }
  }
}
