package io.bitloom.engine.text;

import io.bitloom.engine.nn.Nn;
import io.bitloom.engine.tensor.Tensors;
import io.bitloom.engine.tensor.TorchDevice;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;

/**
 * T5's buckets of relative positions: one half for keys before the query, one for keys after it; in
 * each half near distances have a bucket each, far ones share buckets that grow exponentially.
 */
public final class RelativePositions {
  private RelativePositions() {}

  /**
   * @param relativePosition index of the key minus index of the query
   * @return bucket in [0, buckets)
   */
  public static int bucket(long relativePosition, int buckets, int maxDistance) {
    int half = buckets / 2;
    int offset = relativePosition > 0 ? half : 0;
    long distance = Math.abs(relativePosition);
    int exact = half / 2;
    if (distance < exact) {
      return offset + (int) distance;
    }
    // In float32 like the reference: at powers of two the quotient decides between two buckets.
    float position = (float) Math.log((float) distance / exact);
    position /= (float) Math.log((double) maxDistance / exact);
    position *= half - exact;
    return offset + Math.min(exact + (int) position, half - 1);
  }

  /**
   * What attention adds to the scores of texts.
   *
   * @param table (buckets, heads)
   * @return for every length L, the bias of each pair of query and key (1, heads, L, L)
   */
  static Map<Integer, Tensor> biases(Tensor table, List<Integer> lengths, int maxDistance) {
    int longest = Collections.max(lengths);
    long[] buckets = new long[2 * longest - 1];
    for (int i = 0; i < buckets.length; i++) {
      buckets[i] = bucket(i - (longest - 1), (int) table.size(0), maxDistance);
    }
    TorchDevice device = TorchDevice.of(table);
    Tensor places = Tensors.range(longest, device);
    Tensor distances = places.unsqueeze(0).sub(places.unsqueeze(1)); // (longest, longest)
    Tensor bucketOfPair =
        Tensors.rows(
                Tensors.of(buckets, device, buckets.length),
                distances.add(new Scalar(longest - 1L)).flatten())
            .view(longest, longest);
    Tensor all = Nn.embedding(table, bucketOfPair).permute(2, 0, 1).unsqueeze(0);
    Map<Integer, Tensor> biases = new HashMap<>();
    for (int length : lengths) {
      biases.computeIfAbsent(
          length, n -> all.narrow(2, 0, n).narrow(3, 0, n).contiguous()); // (1, heads, L, L)
    }
    return biases;
  }
}
