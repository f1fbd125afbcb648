package io.bitloom.engine.tokenizer;

import io.bitloom.engine.tensor.Scope;
import java.util.LinkedHashMap;
import java.util.List;
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
    return Scope.fold( // at full resolution the memory of each is needed for the next
        x,
        List.copyOf(layers.entrySet()),
        (current, layer) -> {
          Tensor next = layer.getValue().forward(current);
          observer.accept(layer.getKey(), next);
          return next;
        });
  }
}
