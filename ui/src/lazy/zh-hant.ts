import type { Strings } from '../strings/en';

/** Traditional Chinese, in the words of Taiwan. */
export const strings: Strings = {
  chat: '聊天', greeting: '今天需要什麼協助？', placeholder: '傳訊息給 AI', composer: '訊息', send: '傳送訊息', stop: '停止回答',
  newChat: '新聊天', history: '聊天記錄', closeHistory: '關閉記錄', searchHistory: '搜尋聊天', noThreads: '還沒有聊天',
  noneFound: '沒有標題相符的聊天', untitled: '未命名的聊天', today: '今天', yesterday: '昨天', earlier: '更早', rename: '重新命名',
  delete: '刪除', deleteQuestion: '要刪除「{0}」嗎？', cancel: '取消', save: '儲存', options: '{0} 的選項', loadMore: '顯示更多',
  loading: '載入中', conversation: '對話', youSaid: '您說', assistantSaid: '助理說', answering: '助理正在回答', answered: '回答完成',
  copy: '複製', copied: '已複製', copyCode: '複製程式碼', good: '回答得好', bad: '回答得不好', retry: '再試一次', scrollDown: '前往最新訊息',
  thinking: '思考中', thoughtFor: '思考了 {0}', seconds: '{0} 秒', minutes: '{0} 分鐘', steps: '{0} 個步驟', sources: '來源',
  source: '來源 {0}', dismiss: '關閉', errorGeneric: '回答時發生錯誤。', errorConnection: '連線中斷。已收到的內容會保留。',
  errorUnreachable: '無法連線到伺服器。', errorLoad: '無法載入這個聊天。', errorNotFound: '這個聊天不存在。', closed: '這個聊天已結束。',
  locked: '這個聊天已鎖定。', attach: '新增檔案', attachments: '附件', removeFile: '移除 {0}', uploading: '{0}：{1}%',
  uploadFailed: '無法上傳 {0}。', tooLarge: '{0} 超過 {1}。', tooMany: '最多 {0} 個檔案。', wrongType: '不接受 {0} 的檔案類型。',
  dropHere: '將檔案拖放到這裡', tools: '工具', removeTool: '不使用 {0}', model: '模型', mention: '提及', suggestions: '建議', commands: '指令',
  nothingFound: '找不到結果', dictate: '語音輸入', stopDictating: '停止語音輸入', transcribing: '正在轉成文字', noMicrophone: '無法使用麥克風。',
  quote: '回覆', removeQuote: '移除引用', quoted: '回覆', submit: '送出回答', skip: '略過', skipped: '已略過', otherAnswer: '其他回答',
  image: '產生的圖片', imageBlocked: '來自 {0} 的圖片', showImage: '顯示圖片', toolRunning: '正在執行 {0}', toolDone: '已執行 {0}',
  showMore: '再顯示 {0} 項', showLess: '顯示較少', unknownWidget: '無法顯示這個部分（{0}）。', choose: '請選擇…', clear: '清除', chart: '圖表',
  details: '詳細資料', chooseDate: '選擇日期', previousYear: '上一年', previousMonth: '上個月', nextMonth: '下個月', nextYear: '下一年',
  time: '時間', done: '完成',
};
