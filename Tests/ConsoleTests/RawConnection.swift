import Foundation
import OakumTestKit

/// A bare socket for what no well-behaved client sends. Never blocks: reads wait with a deadline, giving way to others.
final class RawConnection: Sendable {
    private let descriptor: CInt

    init(port: Int) throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(port).bigEndian
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        try connect(&address)
    }

    init(path: String) throws {
        descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        try connect(&address)
    }

    deinit {
        close(descriptor)
    }

    private func connect<Address>(_ address: inout Address) throws {
        let length = socklen_t(MemoryLayout<Address>.size)
        let result = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { Glibc.connect(descriptor, $0, length) }
        }
        guard result == 0 else { throw TestKitError("cannot connect: \(String(cString: strerror(errno)))") }
        _ = fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK)
    }

    /// Returns how many bytes the kernel took: fewer when its buffer is full, -1 when the other side has closed.
    @discardableResult
    func send(_ bytes: [UInt8]) -> Int {
        let count = bytes.withUnsafeBytes { Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
        return count < 0 && errno == EAGAIN ? 0 : count
    }

    @discardableResult
    func send(_ text: String) -> Int { send(Array(text.utf8)) }

    private enum Piece {
        case bytes([UInt8])
        case nothing
        case end
    }

    private func piece() -> Piece {
        var buffer = [UInt8](repeating: 0, count: 65_536)
        let count = recv(descriptor, &buffer, buffer.count, 0)
        if count > 0 { return .bytes(Array(buffer[..<count])) }
        return count < 0 && errno == EAGAIN ? .nothing : .end
    }

    /// Everything up to the piece in which `needle` has come for the given time, or to the end of the connection.
    func read(through needle: String, times: Int = 1) async throws -> String {
        // Data searches in compiled code of its own; a debug build would crawl through some hundred kilobytes.
        let wanted = Data(needle.utf8)
        var all = Data()
        var searched = 0
        var found = 0
        return try await eventually("\(needle), \(times) times") {
            while true {
                switch piece() {
                case .bytes(let bytes): all += bytes
                case .nothing: return nil
                case .end: return String(decoding: all, as: UTF8.self)
                }
                while let range = all.range(of: wanted, in: searched..<all.count) {
                    found += 1
                    searched = range.upperBound
                }
                if found >= times { return String(decoding: all, as: UTF8.self) }
                searched = max(searched, all.count - wanted.count)
            }
        }
    }

    /// Everything until the other side closes.
    func readToEnd() async throws -> String {
        var all: [UInt8] = []
        return try await eventually("the end of the connection") {
            while true {
                switch piece() {
                case .bytes(let bytes): all += bytes
                case .nothing: return nil
                case .end: return String(decoding: all, as: UTF8.self)
                }
            }
        }
    }
}
