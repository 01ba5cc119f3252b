import type { Strings } from '../strings/en';

export const strings: Strings = {
  chat: 'チャット', greeting: '今日はどのようなお手伝いをしましょうか？', placeholder: 'AI にメッセージを送る', composer: 'メッセージ',
  send: '送信', stop: '回答を停止', newChat: '新しいチャット', history: 'チャット履歴', closeHistory: '履歴を閉じる',
  searchHistory: 'チャットを検索', noThreads: 'チャットはまだありません', noneFound: '一致するタイトルはありません',
  untitled: '無題のチャット', today: '今日', yesterday: '昨日', earlier: 'それ以前', rename: '名前を変更', delete: '削除',
  deleteQuestion: '「{0}」を削除しますか？', cancel: 'キャンセル', save: '保存', options: '{0} のオプション', loadMore: 'さらに表示',
  loading: '読み込み中', conversation: '会話', youSaid: 'あなた', assistantSaid: 'アシスタント', answering: 'アシスタントが回答しています',
  answered: '回答が完了しました', copy: 'コピー', copied: 'コピーしました', copyCode: 'コードをコピー', good: '良い回答', bad: '良くない回答',
  retry: 'やり直す', scrollDown: '最新のメッセージへ', thinking: '考えています', thoughtFor: '{0}考えました', seconds: '{0}秒', minutes: '{0}分',
  steps: '{0} ステップ', sources: '情報源', source: '情報源 {0}', dismiss: '閉じる', errorGeneric: '回答中に問題が発生しました。',
  errorConnection: '接続が切れました。届いた内容は保存されています。', errorUnreachable: 'サーバーに接続できません。',
  errorLoad: 'このチャットを読み込めませんでした。', errorNotFound: 'このチャットは存在しません。', closed: 'このチャットは終了しました。',
  locked: 'このチャットはロックされています。', attach: 'ファイルを追加', attachments: '添付ファイル', removeFile: '{0} を外す',
  uploading: '{0}: {1}%', uploadFailed: '{0} をアップロードできませんでした。', tooLarge: '{0} は {1} を超えています。',
  tooMany: 'ファイルは {0} 個までです。', wrongType: '{0} の形式は使えません。', dropHere: 'ここにファイルをドロップして添付',
  tools: 'ツール', removeTool: '{0} を使わない', model: 'モデル', mention: 'メンション', suggestions: '候補', commands: 'コマンド',
  nothingFound: '見つかりません', dictate: '音声入力', stopDictating: '音声入力を終了', transcribing: '文字に起こしています',
  noMicrophone: 'マイクを使用できません。', quote: '返信', removeQuote: '引用を外す', quoted: '返信先', submit: '回答を送信', skip: 'スキップ',
  skipped: 'スキップ済み', otherAnswer: 'その他の回答', image: '生成された画像', imageBlocked: '{0} の画像', showImage: '画像を表示',
  toolRunning: '{0} を実行中', toolDone: '{0} を実行しました', showMore: 'さらに {0} 件表示', showLess: '表示を減らす',
  unknownWidget: 'この部分（{0}）は表示できません。', choose: '選択…', clear: 'クリア', chart: 'グラフ', details: '詳細',
};
