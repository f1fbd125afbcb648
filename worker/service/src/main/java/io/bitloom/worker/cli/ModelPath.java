package io.bitloom.worker.cli;

import io.bitloom.engine.modeldir.ModelDirectory;
import java.nio.file.Path;
import picocli.CommandLine.ITypeConverter;

/** Reads what {@code --model} takes, too: the name of a built-in model stands for its folder. */
final class ModelPath implements ITypeConverter<Path> {
  @Override
  public Path convert(String nameOrPath) {
    return ModelDirectory.builtIn(nameOrPath).orElseGet(() -> Path.of(nameOrPath));
  }
}
