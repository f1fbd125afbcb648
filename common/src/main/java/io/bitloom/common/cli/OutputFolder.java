package io.bitloom.common.cli;

import io.bitloom.common.file.WritableFolder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;

/** The folder that an option names for pictures, looked at before they are drawn. */
public final class OutputFolder {

  private OutputFolder() {}

  /**
   * Leaves everything as it is.
   *
   * @throws ParameterException naming the option, if nothing can be saved there, or if it is
   *     probably not what the caller means
   */
  public static void require(CommandSpec command, String option, Path folder) {
    if (isPicture(folder) && !Files.isDirectory(folder)) {
      throw refusal(
          command, option, folder + " is the name of a picture; name a folder for it", null);
    }
    try {
      WritableFolder.check(folder);
    } catch (IOException e) {
      throw refusal(command, option, FileFaults.message(e), e);
    }
  }

  /**
   * Makes the folder where it is missing.
   *
   * @throws ParameterException as {@link #require} does
   */
  public static void make(CommandSpec command, String option, Path folder) {
    require(command, option, folder);
    try {
      Files.createDirectories(folder);
    } catch (IOException e) {
      throw refusal(command, option, FileFaults.message(e), e);
    }
  }

  private static boolean isPicture(Path folder) {
    return folder.toString().toLowerCase(Locale.ROOT).matches(".*\\.(png|jpe?g|webp)");
  }

  private static ParameterException refusal(
      CommandSpec command, String option, String why, Exception cause) {
    return new ParameterException(command.commandLine(), option + ": " + why, cause);
  }
}
