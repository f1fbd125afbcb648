package io.bitloom.engine.tokenizer;

import io.bitloom.engine.tensor.Weights;
import java.util.regex.Pattern;

/**
 * The one place that knows both ways of naming a tokenizer's parameters. The official modules wrap
 * each convolution and norm, which puts {@code .conv} or {@code .norm} before {@code .weight};
 * files that come from other code lack these.
 */
public final class TokenizerNames {
  private static final Pattern BARE_CONVOLUTION =
      Pattern.compile(
          "(.*(?:conv_in|conv_out|conv1|conv2|nin_shortcut|(?:down|up)sample\\.conv"
              + "|qkv|proj_out|quant_conv|qresi_ls\\.\\d+))"
              + "\\.(weight|bias)");
  private static final Pattern BARE_NORM =
      Pattern.compile("(.*(?:norm1|norm2|norm_out))\\.(weight|bias)");

  private TokenizerNames() {}

  /** The same weights under the official names. */
  static Weights official(Weights weights) {
    return weights.renamed(TokenizerNames::official);
  }

  /** The official name of a tensor that a file may name in either way. */
  public static String official(String name) {
    String convolution = BARE_CONVOLUTION.matcher(name).replaceFirst("$1.conv.$2");
    return BARE_NORM.matcher(convolution).replaceFirst("$1.norm.$2");
  }
}
