package io.bitloom.engine.tokenizer;

import io.bitloom.engine.tensor.Scope;
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

  /** Also shows the output of every layer to an observer. */
  Tensor forward(Tensor x, BiConsumer<String, Tensor> observer) {
    Tensor current = Scope.own(new Tensor(x));
    try {
      for (Map.Entry<String, Layer> layer : layers.entrySet()) {
        Tensor next;
        try (Scope scope = Scope.open()) {
          next = Scope.own(layer.getValue().forward(current));
        }
        current.close(); // at full resolution its memory is needed for the next
        current = next;
        observer.accept(layer.getKey(), current);
      }
      return new Tensor(current);
    } finally {
      current.close();
    }
  }
}
