import Foundation

extension DecodingError {
  /// Where in the document the error is and what was expected there: `groups[2].width: Expected to decode Int …`.
  package var place: String {
    func path(_ context: Context, _ last: (any CodingKey)? = nil) -> String {
      let keys = context.codingPath + (last.map { [$0] } ?? [])
      let text = keys.reduce(into: "") { text, key in
        if let index = key.intValue {
          text += "[\(index)]"
        } else {
          text += (text.isEmpty ? "" : ".") + key.stringValue
        }
      }
      return text.isEmpty ? "top level" : text
    }
    switch self {
    case .typeMismatch(_, let context), .valueNotFound(_, let context):
      return "\(path(context)): \(context.debugDescription)"
    case .keyNotFound(let key, let context):
      return "\(path(context, key)) is missing"
    case .dataCorrupted(let context):
      let detail = (context.underlyingError as NSError?)?.userInfo["NSDebugDescription"] as? String
      return "\(path(context)): \(detail ?? context.debugDescription)"
    @unknown default:
      return "\(self)"
    }
  }
}
