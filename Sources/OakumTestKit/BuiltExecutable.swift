import Glibc

/// The path of one of our executables, built beside the running test bundle.
///
/// The test target must list the executable among its dependencies, or it may be missing or stale.
package func builtExecutable(_ name: String) throws -> String {
    let folder = try buildFolder()
    let path = "\(folder)/\(name)"
    guard access(path, X_OK) == 0 else {
        throw TestKitError("\(path) is not there: is \(name) a dependency of this test target in Package.swift?")
    }
    return path
}

/// The folder with what was built: `.build/debug` in a plain `swift test`.
package func buildFolder() throws -> String {
    var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
    let length = readlink("/proc/self/exe", &buffer, buffer.count)
    guard length > 0 else { throw TestKitError("cannot read /proc/self/exe") }
    let executable = String(decoding: buffer[..<length].map { UInt8(bitPattern: $0) }, as: UTF8.self)
    guard let slash = executable.lastIndex(of: "/") else { throw TestKitError("odd path \(executable)") }
    return String(executable[..<slash])
}
