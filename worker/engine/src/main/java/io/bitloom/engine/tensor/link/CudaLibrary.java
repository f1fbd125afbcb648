package io.bitloom.engine.tensor.link;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * A library of NVIDIA that the build for GPUs needs of its machine, and what brings it.
 *
 * @param name of its file, as others need it
 * @param product what it belongs to, with the version
 * @param debianPackage the package of NVIDIA for Debian and Ubuntu
 * @param wheel the package for Python
 */
public record CudaLibrary(String name, String product, String debianPackage, String wheel) {
  private static final String TABLE = "cuda-libraries.tsv";
  private static final String COMMENT = "#";
  private static final String OTHERS = "also";

  private static final class Known {
    private static final List<CudaLibrary> ALL = read();
  }

  /** Every one of them, in the order in which people should read them. */
  public static List<CudaLibrary> all() {
    return Known.ALL;
  }

  /**
   * Libraries for people, by what they belong to: {@code CUDA 13 (libcudart.so.13,
   * libcublas.so.13), cuDNN 9 (libcudnn.so.9)}.
   */
  public static String describe(Collection<String> names) {
    Map<String, StringBuilder> products = new LinkedHashMap<>();
    for (CudaLibrary library : all()) {
      if (names.contains(library.name)) {
        append(products, library.product, library.name);
      }
    }
    List<String> known = all().stream().map(CudaLibrary::name).toList();
    names.stream().filter(name -> !known.contains(name)).forEach(n -> append(products, OTHERS, n));
    return products.entrySet().stream()
        .map(product -> product.getKey() + " (" + product.getValue() + ")")
        .collect(Collectors.joining(", "));
  }

  private static void append(Map<String, StringBuilder> products, String product, String name) {
    StringBuilder line = products.computeIfAbsent(product, key -> new StringBuilder());
    line.append(line.isEmpty() ? "" : ", ").append(name);
  }

  private static List<CudaLibrary> read() {
    try (InputStream table = CudaLibrary.class.getResourceAsStream(TABLE);
        BufferedReader lines =
            new BufferedReader(new InputStreamReader(table, StandardCharsets.UTF_8))) {
      return lines
          .lines()
          .filter(line -> !line.startsWith(COMMENT))
          .map(line -> line.split("\t", -1))
          .map(cells -> new CudaLibrary(cells[0], cells[1], cells[2], cells[3]))
          .toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
