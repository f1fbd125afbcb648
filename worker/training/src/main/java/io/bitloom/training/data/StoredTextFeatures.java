package io.bitloom.training.data;

import io.bitloom.engine.tensor.PackedRows;
import io.bitloom.engine.tensor.Scope;
import io.bitloom.engine.tensor.Tensors;
import io.bitloom.engine.tensor.TorchDevice;
import io.bitloom.engine.text.TextEncoder;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.bytedeco.pytorch.Tensor;

/**
 * Keeps the features of texts on disk, so that a large encoder reads every caption once. What is
 * not known is encoded in one batch, which is as good as one by one: features do not depend on the
 * batch.
 */
public final class StoredTextFeatures implements TextEncoder {
  private final TextEncoder encoder;
  private final FeatureCache cache;
  private final TorchDevice device;

  /**
   * Features of an encoder, which is closed with this one.
   *
   * @param cache whose keys name the encoder
   * @param device where features are wanted
   */
  public StoredTextFeatures(TextEncoder encoder, FeatureCache cache, TorchDevice device) {
    this.encoder = encoder;
    this.cache = cache;
    this.device = device;
  }

  @Override
  public int channels() {
    return encoder.channels();
  }

  @Override
  public PackedRows encode(List<String> prompts, int maxLength) {
    Map<String, float[]> known = new LinkedHashMap<>();
    Set<String> missing = new LinkedHashSet<>();
    for (String text : prompts) {
      Optional<float[]> found =
          cache.find(key(text, maxLength)).filter(rows -> rows.length % channels() == 0);
      found.ifPresentOrElse(rows -> known.put(text, rows), () -> missing.add(text));
    }
    if (!missing.isEmpty()) {
      encode(List.copyOf(missing), maxLength, known);
    }
    List<Tensor> rows = new ArrayList<>();
    List<Integer> lengths = new ArrayList<>();
    try (Scope scope = Scope.open()) {
      for (String text : prompts) {
        float[] values = known.get(text);
        int length = values.length / channels();
        rows.add(Tensors.of(values, length, channels()));
        lengths.add(length);
      }
      Tensor all = Tensors.concat(rows, 0); // (N, channels)
      return new PackedRows(scope.keep(all.to(device.torch(), all.scalar_type())), lengths);
    }
  }

  private void encode(List<String> texts, int maxLength, Map<String, float[]> known) {
    try (Scope scope = Scope.open()) {
      PackedRows encoded = encoder.encode(texts, maxLength);
      for (int i = 0; i < texts.size(); i++) {
        float[] rows = Tensors.floats(encoded.sequence(i));
        known.put(texts.get(i), rows);
        cache.put(key(texts.get(i), maxLength), rows);
      }
    } catch (IOException e) {
      throw new UncheckedIOException("the cache of text features cannot be written", e);
    }
  }

  private String key(String text, int maxLength) {
    return cache.key("text " + maxLength + "\n" + text);
  }

  @Override
  public void close() {
    encoder.close();
  }
}
