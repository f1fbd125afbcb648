package io.bitloom.images;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class NativeLibraryTest {

  private static final byte[] ELF_OF_X86_64 = header(62);
  private static final byte[] ELF_OF_ARM_64 = header(183);

  private static byte[] header(int machine) {
    byte[] header = {0x7f, 'E', 'L', 'F', 2, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0};
    header[18] = (byte) machine;
    return header;
  }

  @ParameterizedTest
  @CsvSource({
    "org/bytedeco/openblas/linux-x86_64/libopenblas.so.0, true",
    "native/lib/win-x86_64/cpu/tokenizers.dll, true",
    "com/sun/jna/aix-ppc/libjnidispatch.a, true",
    "native/lib/tokenizers.properties, false",
    "org/example/so.class, false",
  })
  void aLibraryIsKnownByItsName(String entry, boolean expected) {
    assertEquals(expected, NativeLibrary.is(entry));
  }

  @ParameterizedTest
  @CsvSource({
    "META-INF/native/libio_grpc_netty_shaded_netty_transport_native_epoll_x86_64.so, true",
    "native/Linux/x86_64/libwebp-imageio.so, true",
    "com/sun/jna/freebsd-x86-64/libjnidispatch.so, false",
    "com/sun/jna/sunos-x86-64/libjnidispatch.so, false",
  })
  void otherSystemsHaveTheSameProcessor(String entry, boolean expected) {
    assertEquals(expected, NativeLibrary.runsHere(entry, ELF_OF_X86_64));
  }

  @Test
  void otherProcessorsAndBrokenFilesAreLeftOut() {
    assertFalse(NativeLibrary.runsHere("linux/libx.so", ELF_OF_ARM_64));
    assertFalse(NativeLibrary.runsHere("linux/libx.so", Arrays.copyOf(ELF_OF_X86_64, 19)));
    assertFalse(NativeLibrary.runsHere("linux/libx.so", new byte[20]));
    assertTrue(NativeLibrary.runsHere("linux/libx.so", ELF_OF_X86_64));
  }
}
