package io.bitloom.engine.text;

import io.bitloom.engine.tensor.PackedRows;
import io.bitloom.engine.tensor.Scope;
import io.bitloom.engine.tensor.Tensors;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;
import org.bytedeco.pytorch.Tensor;

/**
 * Remembers the features of texts that come again, up to a number of bytes; the least recently used
 * go first. What is not known is encoded in one batch, each text once. Features are those that the
 * encoder gives, bit for bit, because they do not depend on the batch.
 *
 * <p>Used by one thread; the counters may be read by any.
 */
public final class CachedTextEncoder implements TextEncoder {
  /** What an entry takes beside its features and letters, roughly. */
  private static final long ENTRY_BYTES = 256;

  private record Key(String text, int maxLength) {}

  private final TextEncoder encoder;
  private final long maxBytes;
  private final Map<Key, Tensor> known = new LinkedHashMap<>(16, 0.75f, true);
  private final AtomicLong bytes = new AtomicLong();
  private final AtomicLong hits = new AtomicLong();
  private final AtomicLong misses = new AtomicLong();

  /**
   * @param encoder closed with this one
   * @param maxBytes most memory that features and texts may take; 0 remembers nothing
   */
  public CachedTextEncoder(TextEncoder encoder, long maxBytes) {
    this.encoder = encoder;
    this.maxBytes = maxBytes;
  }

  @Override
  public int channels() {
    return encoder.channels();
  }

  @Override
  public Optional<String> refusal(String text) {
    return encoder.refusal(text);
  }

  /** Memory that the remembered features and texts take. */
  public long bytes() {
    return bytes.get();
  }

  /** Texts whose features were remembered, or were wanted twice in one batch. */
  public long hits() {
    return hits.get();
  }

  /** Texts that were encoded. */
  public long misses() {
    return misses.get();
  }

  @Override
  public PackedRows encode(List<String> prompts, int maxLength) {
    try (Scope scope = Scope.open()) {
      Map<String, Tensor> features = new HashMap<>(); // (length, channels)
      Set<String> missing = new LinkedHashSet<>();
      for (String text : prompts) {
        Tensor remembered = known.get(new Key(text, maxLength));
        if (remembered == null) {
          missing.add(text);
        } else {
          features.put(text, new Tensor(remembered)); // may be forgotten before it is used
        }
      }
      encodeMissing(List.copyOf(missing), maxLength, features);
      misses.addAndGet(missing.size());
      hits.addAndGet(prompts.size() - missing.size());
      List<Tensor> rows = new ArrayList<>();
      prompts.forEach(text -> rows.add(features.get(text)));
      List<Integer> lengths = rows.stream().map(text -> Math.toIntExact(text.size(0))).toList();
      return new PackedRows(scope.keep(Tensors.concat(rows, 0)), lengths);
    }
  }

  private void encodeMissing(List<String> texts, int maxLength, Map<String, Tensor> features) {
    if (texts.isEmpty()) {
      return;
    }
    PackedRows encoded = encoder.encode(texts, maxLength);
    for (int i = 0; i < texts.size(); i++) {
      Tensor rows = encoded.sequence(i);
      features.put(texts.get(i), rows);
      remember(new Key(texts.get(i), maxLength), rows);
    }
  }

  private void remember(Key key, Tensor rows) {
    long size = size(key, rows);
    if (size > maxBytes) {
      return;
    }
    // A copy: a part of a batch would keep all of it alive.
    known.put(key, Scope.own(rows.clone()));
    bytes.addAndGet(size);
    Iterator<Map.Entry<Key, Tensor>> oldest = known.entrySet().iterator();
    while (bytes.get() > maxBytes) {
      Map.Entry<Key, Tensor> entry = oldest.next();
      bytes.addAndGet(-size(entry.getKey(), entry.getValue()));
      entry.getValue().close();
      oldest.remove();
    }
  }

  private static long size(Key key, Tensor rows) {
    return rows.nbytes() + (long) Character.BYTES * key.text().length() + ENTRY_BYTES;
  }

  @Override
  public void close() {
    known.values().forEach(Tensor::close);
    known.clear();
    bytes.set(0);
    encoder.close();
  }
}
