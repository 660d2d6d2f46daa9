import Foundation
import OakumTestKit
import Outbound
import Spawning
import Testing

extension Tag {
    /// Starts real processes.
    @Tag static var realProcess: Self
}

private let client = OutboundClient()

/// One HTTP request.
func request(
    _ method: String, _ url: String, json: String? = nil, timeout: Double = 10
) async throws -> OutboundResponse {
    try await client.send(
        OutboundRequest(
            method: method, target: .url(url),
            headers: json == nil ? [] : [("Content-Type", "application/json")], body: Array((json ?? "").utf8),
            timeoutSeconds: timeout, maxResponseBytes: 1 << 20))
}

func signUp(_ number: Int) -> String {
    "{\"email\":\"user\(number)@example.com\",\"password\":\"correct horse battery \(number)\"}"
}

/// Runs one of our programs to its end.
func run(
    _ program: String, _ arguments: [String], within limit: Duration = .seconds(60)
) async throws -> (code: Int32, output: String) {
    try await withProcess(builtExecutable(program), arguments) { process in
        guard case .code(let code) = try await process.waitForExit(within: limit) else {
            throw TestKitError("\(program) was killed by a signal: \(process.output())")
        }
        return (code, process.output())
    }
}

/// A port that was free a moment ago.
func freePort() throws -> Int {
    let socket = try listener()
    defer { close(socket.descriptor) }
    return socket.port
}

/// A port that is taken while the body runs.
func withListener<Result>(_ body: (Int) async throws -> Result) async throws -> Result {
    let socket = try listener()
    defer { close(socket.descriptor) }
    return try await body(socket.port)
}

private func listener() throws -> (descriptor: Int32, port: Int) {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let bound = withUnsafeMutablePointer(to: &address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
            bind(descriptor, generic, length) == 0 && listen(descriptor, 1) == 0
                && getsockname(descriptor, generic, &length) == 0
        }
    }
    guard bound else { throw TestKitError("no port: \(String(cString: strerror(errno)))") }
    return (descriptor, Int(UInt16(bigEndian: address.sin_port)))
}

/// Connects, writes as much as is taken, and hangs up. That the other side refuses is fine.
func pour(_ bytes: [UInt8], intoUnixSocket path: String) {
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8.prefix(107)) }
    withUnsafePointer(to: &address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            pour(bytes, AF_UNIX, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
        }
    }
}

/// The same to "http://127.0.0.1:8080".
func pour(_ bytes: [UInt8], intoAddress url: String) {
    withAddress(url) { pour(bytes, AF_INET, $0, $1) }
}

/// Connects, writes the text, and neither reads nor hangs up.
/// - Returns: the descriptor, for the caller to close.
func stall(_ text: String, at url: String) throws -> Int32 {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    var sent = false
    withAddress(url) { address, length in
        sent = connect(descriptor, address, length) == 0 && write(descriptor, text, text.utf8.count) == text.utf8.count
    }
    guard sent else { throw TestKitError("cannot write to \(url)") }
    return descriptor
}

private func withAddress(_ url: String, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Void) {
    guard let port = URL(string: url)?.port else { return }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = UInt16(port).bigEndian
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    withUnsafePointer(to: &address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            body($0, socklen_t(MemoryLayout<sockaddr_in>.size))
        }
    }
}

private func pour(_ bytes: [UInt8], _ family: Int32, _ address: UnsafePointer<sockaddr>, _ length: socklen_t) {
    for type in [SOCK_STREAM, SOCK_DGRAM] {
        let descriptor = socket(family, Int32(type.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        defer { close(descriptor) }
        var timeout = timeval(tv_sec: 1, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &timeout, socklen_t(MemoryLayout<timeval>.size))
        guard connect(descriptor, address, length) == 0 else { continue }
        let chunk = type == SOCK_DGRAM ? Array(bytes.prefix(8_192)) : bytes
        _ = send(descriptor, chunk, chunk.count, Int32(MSG_NOSIGNAL))
        return
    }
}
