package io.bitloom.common.gpu;

/**
 * A GPU of NVIDIA, or a slice of one (MIG).
 *
 * @param id what {@code CUDA_VISIBLE_DEVICES} calls it: a UUID ({@code GPU-…}, {@code MIG-…}) or a
 *     number
 * @param name of its kind, for people
 */
public record Gpu(String id, String name) {
  @Override
  public String toString() {
    return name + " (" + id + ")";
  }
}
