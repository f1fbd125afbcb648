package io.bitloom.common.rules;

import java.util.List;

/**
 * How bits are drawn from the transformer's logits. A list has one value for all scales, or one for
 * each scale of the schedule; an empty list and null say nothing, so that a default holds.
 *
 * @param guidance classifier-free guidance, 1 (off) to 30
 * @param guidanceSchedule what one value of guidance means for the scales
 * @param guidanceLayers where guidance acts: 0 on the logits, −n on the output of block depth − n
 * @param temperature what the logits are divided by, above 0 to 10
 * @param topP nucleus sampling, above 0 to 1; 1 switches it off
 * @param topK only so many of the likeliest entries of a codebook can be drawn; 0 for all
 * @param greedy the likelier state of every bit is taken instead of drawing
 * @param preset values for what is left out here, ahead of all defaults
 */
public record SamplingParameters(
    List<Double> guidance,
    GuidanceSchedule guidanceSchedule,
    List<Integer> guidanceLayers,
    List<Double> temperature,
    Double topP,
    Integer topK,
    boolean greedy,
    Preset preset) {

  /** Nothing is said: every default holds. */
  public static final SamplingParameters NONE = builder().build();

  /** How guidance goes on over the scales. */
  public enum GuidanceSchedule {
    /** The same at every scale. */
    CONSTANT,
    /** Linearly from 1 at the first scale to the value at the last. */
    PYRAMID
  }

  /** Parameters that were chosen together. */
  public enum Preset {
    /** The paper's: guidance 4 on the logits of every scale, temperature 1, top-p 0.97. */
    QUALITY,
    /** The same without guidance at the last scales, a quarter of all. */
    FAST
  }

  public SamplingParameters {
    guidance = List.copyOf(guidance);
    guidanceLayers = List.copyOf(guidanceLayers);
    temperature = List.copyOf(temperature);
  }

  /** A builder that has nothing. */
  public static Builder builder() {
    return new Builder();
  }

  /** A builder that has all that these parameters say. */
  public Builder toBuilder() {
    Builder builder = new Builder();
    builder.guidance = guidance;
    builder.guidanceSchedule = guidanceSchedule;
    builder.guidanceLayers = guidanceLayers;
    builder.temperature = temperature;
    builder.topP = topP;
    builder.topK = topK;
    builder.greedy = greedy;
    builder.preset = preset;
    return builder;
  }

  /** Gathers parameters; {@link ImagePromptRules} says which values are valid. */
  public static final class Builder {
    private List<Double> guidance = List.of();
    private GuidanceSchedule guidanceSchedule;
    private List<Integer> guidanceLayers = List.of();
    private List<Double> temperature = List.of();
    private Double topP;
    private Integer topK;
    private boolean greedy;
    private Preset preset;

    private Builder() {}

    public Builder guidance(List<Double> guidance) {
      this.guidance = guidance;
      return this;
    }

    /** The same guidance at all scales, unless {@link #guidanceSchedule} says otherwise. */
    public Builder guidance(double guidance) {
      return guidance(List.of(guidance));
    }

    public Builder guidanceSchedule(GuidanceSchedule schedule) {
      this.guidanceSchedule = schedule;
      return this;
    }

    public Builder guidanceLayers(List<Integer> layers) {
      this.guidanceLayers = layers;
      return this;
    }

    public Builder temperature(List<Double> temperature) {
      this.temperature = temperature;
      return this;
    }

    /** The same temperature at all scales. */
    public Builder temperature(double temperature) {
      return temperature(List.of(temperature));
    }

    public Builder topP(double topP) {
      this.topP = topP;
      return this;
    }

    public Builder topK(int topK) {
      this.topK = topK;
      return this;
    }

    public Builder greedy(boolean greedy) {
      this.greedy = greedy;
      return this;
    }

    public Builder preset(Preset preset) {
      this.preset = preset;
      return this;
    }

    public SamplingParameters build() {
      return new SamplingParameters(
          guidance, guidanceSchedule, guidanceLayers, temperature, topP, topK, greedy, preset);
    }
  }
}
