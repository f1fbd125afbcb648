package io.bitloom.engine.tensor.cpu;

import com.sun.jna.Function;
import com.sun.jna.Library;
import com.sun.jna.NativeLibrary;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.bytedeco.javacpp.Loader;
import org.bytedeco.pytorch.global.torch;

/**
 * What libtorch's BLAS says of itself.
 *
 * @param version of OpenBLAS
 * @param core the processor family whose kernels it took at its start
 * @param threads of one call
 */
public record OpenBlas(String version, String core, int threads) {
  /** dlopen's RTLD_LAZY without RTLD_GLOBAL, which would show libtorch's symbols to all others. */
  private static final Map<String, ?> PRIVATELY = Map.of(Library.OPTION_OPEN_FLAGS, 1);

  private static final Pattern VERSION = Pattern.compile("OpenBLAS (\\S+)");
  private static final Object[] NOTHING = {};

  /**
   * Asks the instance that libtorch is bound to: JavaCPP loads two, and the search begins at
   * libtorch. Empty where it cannot be asked.
   */
  static Optional<OpenBlas> ofLibTorch() {
    try {
      NativeLibrary library = NativeLibrary.getInstance(Loader.load(torch.class), PRIVATELY);
      Matcher version = VERSION.matcher(text(library.getFunction("openblas_get_config")));
      return Optional.of(
          new OpenBlas(
              version.find() ? version.group(1) : "of unknown version",
              text(library.getFunction("openblas_get_corename")),
              library.getFunction("openblas_get_num_threads").invokeInt(NOTHING)));
    } catch (LinkageError e) {
      return Optional.empty(); // another BLAS, or no place to unpack JNA to
    }
  }

  private static String text(Function function) {
    return function.invokeString(NOTHING, false);
  }

  @Override
  public String toString() {
    return "OpenBLAS " + version + " for " + core + " on " + Machine.threads(threads);
  }
}
