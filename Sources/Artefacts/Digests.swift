import CSodium

/// SHA-256 (FIPS 180-4) of bytes as they come.
struct SHA256Stream {
    private var state = crypto_hash_sha256_state()

    init() {
        crypto_hash_sha256_init(&state)
    }

    mutating func update(_ bytes: UnsafeRawBufferPointer) {
        crypto_hash_sha256_update(&state, bytes.assumingMemoryBound(to: UInt8.self).baseAddress, UInt64(bytes.count))
    }

    /// 64 lower-case hexadecimal digits. Ends the stream.
    mutating func finish() -> String {
        var digest = [UInt8](repeating: 0, count: Int(crypto_hash_sha256_bytes()))
        crypto_hash_sha256_final(&state, &digest)
        return Hexadecimal.text(digest)
    }

    static func hex(_ bytes: [UInt8]) -> String {
        var stream = SHA256Stream()
        bytes.withUnsafeBytes { stream.update($0) }
        return stream.finish()
    }
}

/// BLAKE2b (RFC 7693) of bytes as they come.
final class BLAKE2bStream {
    // libsodium wants its state at a multiple of 64, which Swift promises for no variable.
    private let state = UnsafeMutableRawPointer.allocate(byteCount: crypto_generichash_statebytes(), alignment: 64)
    private let length: Int

    /// - Parameter length: of the digest in bytes, 16 to 64.
    init(length: Int) {
        self.length = length
        crypto_generichash_init(typed, nil, 0, length)
    }

    deinit { state.deallocate() }

    private var typed: OpaquePointer { OpaquePointer(state) }

    func update(_ bytes: UnsafeRawBufferPointer) {
        crypto_generichash_update(typed, bytes.assumingMemoryBound(to: UInt8.self).baseAddress, UInt64(bytes.count))
    }

    func update(_ bytes: [UInt8]) {
        bytes.withUnsafeBytes { update($0) }
    }

    /// Ends the stream.
    func finish() -> [UInt8] {
        var digest = [UInt8](repeating: 0, count: length)
        crypto_generichash_final(typed, &digest, length)
        return digest
    }
}

/// Lower-case hexadecimal text.
enum Hexadecimal {
    static func text(_ bytes: [UInt8]) -> String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }
}
