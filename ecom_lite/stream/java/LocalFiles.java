package ecom_lite;

import java.io.IOException;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.attribute.PosixFilePermissions;
import org.apache.hadoop.fs.LocalFileSystem;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.RawLocalFileSystem;
import org.apache.hadoop.fs.permission.FsPermission;

/**
 * The local disk without a checksum file beside each file, and without starting a `chmod` for each: a micro-batch has some fifteen.
 *
 * A LocalFileSystem, for which the upkeep of Spark's state asks by name.
 */
public class LocalFiles extends LocalFileSystem {
    public LocalFiles() {
        super(new Raw());
        setWriteChecksum(false);
        setVerifyChecksum(false);
    }

    private static class Raw extends RawLocalFileSystem {
        private static final boolean POSIX = FileSystems.getDefault().supportedFileAttributeViews().contains("posix");

        public void setPermission(Path path, FsPermission permission) throws IOException {
            if (!POSIX) {
                super.setPermission(path, permission);
                return;
            }
            // Symbols as rwxr-x---, and a t at the end for a sticky folder, which the JDK does not know.
            String symbols = permission.toString().substring(0, 9).replace('t', 'x').replace('T', '-');
            Files.setPosixFilePermissions(pathToFile(path).toPath(), PosixFilePermissions.fromString(symbols));
        }
    }
}
