package io.bitloom.worker.tokenizer;

import io.bitloom.worker.tensor.Scope;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.BiConsumer;
import org.bytedeco.pytorch.Tensor;

/** Layers that run one after the other, under the names that the checkpoint gives them. */
final class Sequential implements Layer {
  private final Map<String, Layer> layers = new LinkedHashMap<>();

  void add(String name, Layer layer) {
    layers.put(name, layer);
  }

  @Override
  public Tensor forward(Tensor x) {
    return forward(x, (name, output) -> {});
  }

  /** Also shows the output of every layer to an observer, which must not keep it. */
  Tensor forward(Tensor x, BiConsumer<String, Tensor> observer) {
    try (Scope scope = Scope.open()) {
      Tensor current = x;
      for (Map.Entry<String, Layer> layer : layers.entrySet()) {
        Tensor input = current;
        try (Scope each = Scope.open()) {
          current = each.keep(layer.getValue().forward(input));
        }
        if (input != x) {
          input.close(); // its memory is needed at full resolution
        }
        observer.accept(layer.getKey(), current);
      }
      return scope.keep(current);
    }
  }
}
