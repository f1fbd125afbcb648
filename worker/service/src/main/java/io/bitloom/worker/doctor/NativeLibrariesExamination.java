package io.bitloom.worker.doctor;

import io.bitloom.common.config.UserCache;
import io.bitloom.common.doctor.Examination;
import io.bitloom.common.doctor.Finding;
import io.bitloom.common.doctor.Setup;
import io.bitloom.engine.NativeLibraries;
import io.bitloom.engine.tensor.LibTorch;
import io.bitloom.engine.tensor.LibTorchException;
import io.bitloom.engine.tensor.cpu.CpuThreads;
import io.bitloom.engine.tensor.cpu.Machine;
import java.io.UncheckedIOException;
import java.util.List;

/** Unpacks and loads libtorch, as a worker does at its start. */
public final class NativeLibrariesExamination implements Examination {

  private static final String NAME = "native libraries";
  private static final String ADVICE =
      "they need 450 MB in the cache, from where programs may run, on Linux for x86-64;"
          + " XDG_CACHE_HOME says another place";

  @Override
  public List<Finding> examine(Setup setup) {
    try {
      NativeLibraries.unpackIntoCache();
      LibTorch.start();
      Machine machine = Machine.of(LibTorch.threads());
      return List.of(
          Finding.ok(
              NAME,
              "libtorch "
                  + machine.libtorch()
                  + " loads and computes with "
                  + machine.kernels()
                  + " from "
                  + UserCache.folder("javacpp")),
          Finding.ok("threads", CpuThreads.choose(0).toString()));
    } catch (UncheckedIOException e) {
      return List.of(Finding.fail(NAME, e.getMessage() + ": " + e.getCause().getMessage(), ADVICE));
    } catch (LibTorchException e) {
      return List.of(
          Finding.fail(
              NAME, e.getMessage(), LibTorch.builtForGpu() ? GpuExamination.ADVICE : ADVICE));
    }
  }
}
