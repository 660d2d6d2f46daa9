import Glibc

/// The permission bits of a file; `nil` when there is none.
func permissions(of path: String) -> UInt32? {
    var status = stat()
    guard lstat(path, &status) == 0 else { return nil }
    return status.st_mode & 0o777
}

enum ContinuousWallClock {
    static func secondsSince1970() -> Int { time(nil) }
}
