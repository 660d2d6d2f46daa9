import CSodium
import Foundation
import OakumModel

/// The signature of Standard Webhooks, version 1: HMAC-SHA256 over id, time and body.
struct WebhookSignature: Sendable {
    private let keys: [[UInt8]]

    /// - Parameter secrets: `whsec_` and 24 to 64 bytes in base64, at most 4.
    /// - Returns: nil when one is no such thing.
    init?(_ secrets: [Secret]) {
        // Safe to call again; it fails only where no random numbers can be had, which HMAC does not need.
        _ = sodium_init()
        var keys: [[UInt8]] = []
        for secret in secrets {
            let text = secret.reveal()
            guard text.hasPrefix("whsec_"), let key = Data(base64Encoded: String(text.dropFirst(6))),
                (24...64).contains(key.count)
            else { return nil }
            keys.append(Array(key))
        }
        guard keys.count <= 4 else { return nil }
        self.keys = keys
    }

    /// The value of `webhook-signature`, one signature for each secret; nil without a secret.
    func value(id: String, seconds: Int64, body: [UInt8]) -> String? {
        guard !keys.isEmpty else { return nil }
        let signed = Array("\(id).\(seconds).".utf8) + body
        return keys.map { "v1,\(Data(Self.mac(of: signed, key: $0)).base64EncodedString())" }.joined(separator: " ")
    }

    private static func mac(of bytes: [UInt8], key: [UInt8]) -> [UInt8] {
        var state = crypto_auth_hmacsha256_state()
        var result = [UInt8](repeating: 0, count: Int(crypto_auth_hmacsha256_bytes()))
        crypto_auth_hmacsha256_init(&state, key, key.count)
        crypto_auth_hmacsha256_update(&state, bytes, UInt64(bytes.count))
        crypto_auth_hmacsha256_final(&state, &result)
        return result
    }
}
