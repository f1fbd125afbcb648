package io.bitloom.common.rules;

import java.util.Objects;

/**
 * A text and how its images are to be made: what a line of a prompt file says. Only {@code text} is
 * required. An empty text and null say nothing, so that the model's default holds. {@link
 * ImagePromptRules} says which values are valid.
 *
 * @param customId the caller's name for the prompt, at most 256 characters
 * @param text what to draw
 * @param negativePrompt what the images must not show; needs guidance other than 1
 * @param enablePositivePrompt whether words for pleasant faces are added to a text that speaks of
 *     people
 * @param aspectRatio width to height as people write it, {@code 3:2}; excludes {@code hDivW}
 * @param hDivW height over width
 * @param size label of a size class: {@code 0.06M}, {@code 0.25M}, {@code 0.60M}, {@code 1M},
 *     {@code var256} or {@code var512}
 * @param seed starts the random stream of every image, which also takes the image's index
 * @param sampling how bits are drawn
 * @param numImages images to make, 1 to 16
 * @param format of the image files
 * @param quality of lossy formats, 1 to 100
 */
public record ImagePrompt(
    String customId,
    String text,
    String negativePrompt,
    Boolean enablePositivePrompt,
    String aspectRatio,
    Double hDivW,
    String size,
    Long seed,
    SamplingParameters sampling,
    Integer numImages,
    Format format,
    Integer quality) {

  /** Nothing is said: every default holds. */
  public static final ImagePrompt NONE = builder("").build();

  /** A file format of images. */
  public enum Format {
    PNG,
    JPEG,
    WEBP,
    WEBP_LOSSLESS;

    /** The name that people write: {@code webp-lossless}. */
    public String label() {
      return Labels.of(this);
    }
  }

  public ImagePrompt {
    Objects.requireNonNull(customId, "customId");
    Objects.requireNonNull(text, "text");
    Objects.requireNonNull(negativePrompt, "negativePrompt");
    Objects.requireNonNull(size, "size");
    Objects.requireNonNull(sampling, "sampling");
  }

  /** A builder that has a text and nothing else. */
  public static Builder builder(String text) {
    return new Builder().text(text);
  }

  /** A builder that has all that this prompt says. */
  public Builder toBuilder() {
    Builder builder = new Builder();
    builder.customId = customId;
    builder.text = text;
    builder.negativePrompt = negativePrompt;
    builder.enablePositivePrompt = enablePositivePrompt;
    builder.aspectRatio = aspectRatio;
    builder.hDivW = hDivW;
    builder.size = size;
    builder.seed = seed;
    builder.sampling = sampling;
    builder.numImages = numImages;
    builder.format = format;
    builder.quality = quality;
    return builder;
  }

  /** Gathers the fields of a prompt, which have the same meaning and limits. */
  public static final class Builder {
    private String customId = "";
    private String text = "";
    private String negativePrompt = "";
    private Boolean enablePositivePrompt;
    private String aspectRatio;
    private Double hDivW;
    private String size = "";
    private Long seed;
    private SamplingParameters sampling = SamplingParameters.NONE;
    private Integer numImages;
    private Format format;
    private Integer quality;

    private Builder() {}

    public Builder customId(String customId) {
      this.customId = customId;
      return this;
    }

    public Builder text(String text) {
      this.text = text;
      return this;
    }

    public Builder negativePrompt(String negativePrompt) {
      this.negativePrompt = negativePrompt;
      return this;
    }

    public Builder enablePositivePrompt(boolean enable) {
      this.enablePositivePrompt = enable;
      return this;
    }

    public Builder aspectRatio(String widthToHeight) {
      this.aspectRatio = widthToHeight;
      return this;
    }

    public Builder hDivW(double heightOverWidth) {
      this.hDivW = heightOverWidth;
      return this;
    }

    public Builder size(String label) {
      this.size = label;
      return this;
    }

    public Builder seed(long seed) {
      this.seed = seed;
      return this;
    }

    public Builder sampling(SamplingParameters sampling) {
      this.sampling = sampling;
      return this;
    }

    public Builder numImages(int images) {
      this.numImages = images;
      return this;
    }

    public Builder format(Format format) {
      this.format = format;
      return this;
    }

    public Builder quality(int quality) {
      this.quality = quality;
      return this;
    }

    public ImagePrompt build() {
      return new ImagePrompt(
          customId,
          text,
          negativePrompt,
          enablePositivePrompt,
          aspectRatio,
          hDivW,
          size,
          seed,
          sampling,
          numImages,
          format,
          quality);
    }
  }
}
