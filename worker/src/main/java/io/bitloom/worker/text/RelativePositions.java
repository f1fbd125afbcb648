package io.bitloom.worker.text;

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
}
